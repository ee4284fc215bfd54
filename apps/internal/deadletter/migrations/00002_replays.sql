-- +goose Up
CREATE TABLE IF NOT EXISTS dead_letter_replays (
    letter VARCHAR(128) NOT NULL COMMENT 'id of the letter',
    at     DATETIME(6)  NOT NULL,
    actor  VARCHAR(100) NOT NULL COMMENT 'the operator',
    result VARCHAR(255) NOT NULL COMMENT 'DONE, or why not',
    PRIMARY KEY (letter, at, actor)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
