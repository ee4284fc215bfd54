-- +goose Up
CREATE TABLE IF NOT EXISTS reservations (
    id              CHAR(36)     NOT NULL,
    customer_id     VARCHAR(100) NOT NULL,
    departure_id    CHAR(36)     NOT NULL,
    status          VARCHAR(20)  NOT NULL,
    version         BIGINT       NOT NULL,
    created_at      DATETIME(6)  NOT NULL COMMENT 'UTC',
    document        LONGTEXT     NOT NULL COMMENT 'domain.Snapshot in JSON, with the whole history',
    attempts        INT          NOT NULL DEFAULT 0 COMMENT 'how often settling was tried',
    next_attempt_at DATETIME(6)  NULL COMMENT 'UTC; NULL: nothing left to do',
    claim           CHAR(36)     NULL COMMENT 'whose turn it is to look at it',
    PRIMARY KEY (id),
    KEY by_customer (customer_id, created_at, id),
    KEY by_departure (departure_id, status),
    KEY agenda (next_attempt_at),
    KEY by_claim (claim)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
