-- +goose Up
CREATE TABLE IF NOT EXISTS closings (
    departure_id  CHAR(36)    NOT NULL COMMENT 'closed by its supplier, with reservations that are still open',
    claimed_until DATETIME(6) NULL COMMENT 'UTC; a worker is at it',
    PRIMARY KEY (departure_id)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
