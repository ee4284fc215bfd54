-- +goose Up
CREATE TABLE IF NOT EXISTS dead_letters (
    id      VARCHAR(128) NOT NULL COMMENT '{app}:{event id}',
    topic   VARCHAR(64)  NOT NULL,
    type    VARCHAR(128) NOT NULL,
    subject VARCHAR(128) NOT NULL,
    reason  VARCHAR(255) NOT NULL,
    at      DATETIME(6)  NOT NULL,
    payload LONGTEXT     NOT NULL COMMENT 'the event as it came',
    PRIMARY KEY (id)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
