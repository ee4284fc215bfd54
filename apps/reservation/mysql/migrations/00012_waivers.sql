-- +goose Up
CREATE TABLE IF NOT EXISTS waivers (
    reservation_id CHAR(36)    NOT NULL,
    status         VARCHAR(10) NOT NULL COMMENT 'CLAIMED, GRANTED, REFUSED',
    opened_at      DATETIME(6) NOT NULL COMMENT 'UTC; when it was claimed, or decided by an operator whom nobody had asked',
    PRIMARY KEY (reservation_id),
    KEY by_status (status, opened_at, reservation_id)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
