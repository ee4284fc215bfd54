-- +goose Up
CREATE TABLE IF NOT EXISTS refunds (
    refund_id    CHAR(36)     NOT NULL COMMENT 'also the Idempotency-Key at the provider',
    payment_id   CHAR(36)     NOT NULL,
    position     INT          NOT NULL COMMENT 'in which they were asked for',
    cause        VARCHAR(16)  NOT NULL COMMENT 'CANCELLATION, VOID',
    amount       BIGINT       NOT NULL COMMENT 'won',
    status       VARCHAR(16)  NOT NULL COMMENT 'REQUESTED, DONE, STUCK',
    code         VARCHAR(64)  NOT NULL COMMENT 'why it is stuck',
    causation_id VARCHAR(64)  NOT NULL,
    PRIMARY KEY (refund_id),
    UNIQUE KEY one_per_cause (payment_id, cause),
    KEY by_status (status)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
