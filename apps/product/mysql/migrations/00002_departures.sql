-- +goose Up
CREATE TABLE IF NOT EXISTS departures (
    departure_id     CHAR(36)     NOT NULL,
    product_id       CHAR(36)     NOT NULL,
    position         INT          NOT NULL COMMENT 'place in the product as its MD wrote it',
    date             CHAR(10)     NOT NULL COMMENT 'YYYY-MM-DD in Asia/Seoul',
    capacity         INT          NOT NULL,
    min_participants INT          NOT NULL,
    closure_reason   VARCHAR(32)  NULL,
    closure_note     VARCHAR(500) NULL,
    closed_on        CHAR(10)     NULL     COMMENT 'YYYY-MM-DD in Asia/Seoul',
    closed_at        DATETIME(6)  NULL,
    PRIMARY KEY (departure_id),
    UNIQUE KEY one_a_day (product_id, date)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
