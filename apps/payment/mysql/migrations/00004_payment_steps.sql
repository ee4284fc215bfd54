-- +goose Up
CREATE TABLE IF NOT EXISTS payment_steps (
    step_id        BIGINT       NOT NULL AUTO_INCREMENT COMMENT 'orders the steps of one transaction, nothing else',
    reservation_id CHAR(36)     NOT NULL,
    purpose        VARCHAR(16)  NOT NULL,
    payment_id     CHAR(36)     NOT NULL COMMENT 'may be gone: an attempt that never left is forgotten',
    at             DATETIME(6)  NOT NULL,
    kind           VARCHAR(16)  NOT NULL COMMENT 'PAYMENT, REFUND, ALARM',
    status         VARCHAR(16)  NOT NULL COMMENT 'of the payment or the refund, after the step',
    amount         BIGINT       NOT NULL COMMENT 'won; 0 says nothing',
    refund_id      VARCHAR(36)  NOT NULL,
    cause          VARCHAR(16)  NOT NULL,
    detail         VARCHAR(255) NOT NULL COMMENT 'a code, a bank reference, the text of an alarm',
    actor          VARCHAR(255) NOT NULL COMMENT 'the operator who did it, or nobody',
    PRIMARY KEY (step_id),
    KEY by_reservation (reservation_id, at)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
