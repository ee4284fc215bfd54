-- +goose Up
CREATE TABLE IF NOT EXISTS compensations (
    reservation_id CHAR(36)     NOT NULL,
    customer_id    VARCHAR(100) NOT NULL,
    amount         BIGINT       NOT NULL COMMENT 'won, more than 0',
    status         VARCHAR(10)  NOT NULL COMMENT 'DUE, PAID',
    reference      VARCHAR(100) NULL COMMENT 'of the bank transfer',
    paid_by        VARCHAR(100) NULL COMMENT 'subject of the operator',
    due_at         DATETIME(6)  NOT NULL COMMENT 'UTC',
    paid_at        DATETIME(6)  NULL COMMENT 'UTC',
    PRIMARY KEY (reservation_id),
    KEY by_status (status, due_at, reservation_id)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
