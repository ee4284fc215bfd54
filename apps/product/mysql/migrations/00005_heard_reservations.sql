-- +goose Up
CREATE TABLE IF NOT EXISTS heard_reservations (
    reservation_id CHAR(36)    NOT NULL,
    departure_id   CHAR(36)    NOT NULL,
    version        BIGINT      NOT NULL COMMENT 'up to which its history was heard',
    finished_at    DATETIME(6) NULL     COMMENT 'when it became final',
    stuck          TINYINT     NOT NULL COMMENT 'a refund of it needs an operator',
    PRIMARY KEY (reservation_id),
    KEY by_departure (departure_id, finished_at, stuck)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
