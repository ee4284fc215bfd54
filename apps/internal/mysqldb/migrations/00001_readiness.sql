-- +goose Up
CREATE TABLE IF NOT EXISTS readiness (
    id TINYINT     NOT NULL COMMENT 'always 1',
    at DATETIME(6) NOT NULL COMMENT 'when a replica last proved that it can write',
    PRIMARY KEY (id)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
