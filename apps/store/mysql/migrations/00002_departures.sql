-- +goose Up
CREATE TABLE IF NOT EXISTS departures (
    departure_id     CHAR(36)    NOT NULL,
    product_id       CHAR(36)    NOT NULL,
    date             CHAR(10)    NULL COMMENT 'YYYY-MM-DD in Asia/Seoul; NULL: only totals were heard',
    capacity         INT         NOT NULL DEFAULT 0 COMMENT 'as product has told it',
    closed           TINYINT     NOT NULL DEFAULT 0 COMMENT 'as product has told it',
    seats_version    BIGINT      NOT NULL DEFAULT 0 COMMENT 'of the totals; 0: none were heard',
    seats_capacity   INT         NOT NULL DEFAULT 0 COMMENT 'from here on as reservation has told it',
    seats_held       INT         NOT NULL DEFAULT 0,
    seats_confirmed  INT         NOT NULL DEFAULT 0,
    seats_closed     TINYINT     NOT NULL DEFAULT 0,
    reserved         INT         NOT NULL DEFAULT 0 COMMENT 'reservations CONFIRMED or COMPLETED',
    seats_as_of      DATETIME(6) NULL COMMENT 'time of the event',
    PRIMARY KEY (departure_id),
    KEY by_product (product_id, date, closed, seats_closed)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
