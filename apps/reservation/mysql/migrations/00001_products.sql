-- +goose Up
CREATE TABLE IF NOT EXISTS products (
    id       CHAR(36) NOT NULL,
    version  BIGINT   NOT NULL COMMENT 'of the product, as its owner counts',
    document LONGTEXT NOT NULL COMMENT 'domain.TourProduct in JSON',
    PRIMARY KEY (id)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
