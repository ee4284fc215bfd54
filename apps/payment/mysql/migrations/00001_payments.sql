-- +goose Up
CREATE TABLE IF NOT EXISTS payments (
    payment_id      CHAR(36)     NOT NULL COMMENT 'also the Idempotency-Key at the provider',
    reservation_id  CHAR(36)     NOT NULL,
    purpose         VARCHAR(16)  NOT NULL COMMENT 'PRICE, DEPOSIT, BALANCE; {reservation_id}-{purpose} is the id at the provider',
    method          VARCHAR(16)  NOT NULL,
    amount          BIGINT       NOT NULL COMMENT 'won that were asked for; 0 when the payment was forbidden before that',
    status          VARCHAR(16)  NOT NULL,
    decline_code    VARCHAR(64)  NOT NULL,
    charged         BIGINT       NOT NULL COMMENT 'won that the provider says it took',
    version         BIGINT       NOT NULL,
    correlation_id  VARCHAR(64)  NOT NULL,
    causation_id    VARCHAR(64)  NOT NULL,
    requested_at    DATETIME(6)  NULL     COMMENT 'NULL: never requested, only forbidden',
    final_at        DATETIME(6)  NULL     COMMENT 'when it became DECLINED or VOIDED',
    attempts        INT          NOT NULL COMMENT 'fruitless looks since the last change',
    next_attempt_at DATETIME(6)  NULL     COMMENT 'when resume must look at it; NULL: not at all',
    claimed_until   DATETIME(6)  NULL     COMMENT 'one replica is at it until then, by the clock of the database',
    PRIMARY KEY (payment_id),
    UNIQUE KEY one_per_purpose (reservation_id, purpose),
    KEY by_next_attempt (next_attempt_at)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
