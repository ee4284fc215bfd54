-- +goose Up
CREATE TABLE IF NOT EXISTS inboxes (
    md_id    VARCHAR(100) NOT NULL,
    last_seq BIGINT       NOT NULL COMMENT 'number of the last notice; locked while notices are added',
    PRIMARY KEY (md_id)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
