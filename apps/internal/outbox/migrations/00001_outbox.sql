-- +goose Up
CREATE TABLE IF NOT EXISTS outbox (
    id            CHAR(36)    NOT NULL COMMENT 'id of the event',
    topic         VARCHAR(64) NOT NULL,
    partition_key VARCHAR(64) NOT NULL COMMENT 'id of the aggregate',
    event         LONGTEXT    NOT NULL COMMENT 'CloudEvent in JSON',
    claim         CHAR(36)    NULL     COMMENT 'whose turn it is to publish it',
    claimed_until DATETIME(6) NULL     COMMENT 'until when, by the clock of the database',
    PRIMARY KEY (id),
    KEY by_claim (claim)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
