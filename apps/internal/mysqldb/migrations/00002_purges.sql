-- +goose Up
CREATE TABLE IF NOT EXISTS purges (
    name   VARCHAR(64) NOT NULL COMMENT 'what is removed',
    due_at DATETIME(6) NOT NULL COMMENT 'clock of the database; while a replica is at it, the end of its turn',
    PRIMARY KEY (name)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
