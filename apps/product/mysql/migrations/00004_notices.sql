-- +goose Up
CREATE TABLE IF NOT EXISTS notices (
    md_id           VARCHAR(100) NOT NULL,
    seq             BIGINT       NOT NULL COMMENT '1, 2, 3 … per MD, without gaps',
    reservation_id  CHAR(36)     NOT NULL,
    version         BIGINT       NOT NULL COMMENT 'of the reservation after the change',
    product_id      CHAR(36)     NOT NULL,
    status          VARCHAR(32)  NOT NULL,
    at              DATETIME(6)  NOT NULL,
    acknowledged_at DATETIME(6)  NULL,
    PRIMARY KEY (md_id, seq),
    UNIQUE KEY one_a_change (reservation_id, version)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
