-- +goose Up
CREATE TABLE IF NOT EXISTS departures (
    id          CHAR(36)    NOT NULL,
    product_id  CHAR(36)    NOT NULL,
    travel_date CHAR(10)    NOT NULL COMMENT 'YYYY-MM-DD in Asia/Seoul',
    capacity    INT         NOT NULL COMMENT 'as product asked for it',
    held        INT         NOT NULL COMMENT 'seats of PENDING reservations',
    confirmed   INT         NOT NULL COMMENT 'seats of CONFIRMED and COMPLETED reservations',
    closure     LONGTEXT    NULL COMMENT 'domain.Closure in JSON',
    counts      LONGTEXT    NOT NULL COMMENT 'reservations by status, JSON',
    version     BIGINT      NOT NULL,
    PRIMARY KEY (id),
    KEY by_product (product_id)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
