-- +goose Up
CREATE TABLE IF NOT EXISTS idempotency_keys (
    subject        VARCHAR(100) NOT NULL,
    operation      VARCHAR(100) NOT NULL COMMENT 'method and path',
    idem_key       VARCHAR(255) NOT NULL,
    body_hash      BINARY(32)   NOT NULL,
    reservation_id CHAR(36)     NOT NULL,
    answer         LONGTEXT     NULL COMMENT 'usecase.Answer in JSON; NULL: still being worked on',
    created_at     DATETIME(6)  NOT NULL COMMENT 'UTC',
    PRIMARY KEY (subject, operation, idem_key),
    KEY by_reservation (reservation_id, operation),
    KEY by_age (created_at)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
