-- +goose Up
CREATE TABLE IF NOT EXISTS products (
    product_id          CHAR(36)     NOT NULL,
    md_id               VARCHAR(100) NOT NULL COMMENT 'subject of the MD',
    status              VARCHAR(16)  NOT NULL COMMENT 'OPEN, DISCONTINUED',
    version             BIGINT       NOT NULL,
    kind                VARCHAR(16)  NOT NULL COMMENT 'DOMESTIC, OVERSEAS',
    name_ko             VARCHAR(200) NOT NULL,
    name_en             VARCHAR(200) NOT NULL,
    description_ko      TEXT         NOT NULL,
    description_en      TEXT         NOT NULL,
    country             CHAR(2)      NOT NULL,
    nights              INT          NOT NULL,
    price               BIGINT       NOT NULL COMMENT 'won, one traveller',
    discount_rate       INT          NOT NULL COMMENT 'basis points',
    recommendation      INT          NOT NULL COMMENT 'stars',
    fx_benefit_rate     INT          NOT NULL COMMENT 'basis points',
    savings_offer       VARCHAR(255) NULL     COMMENT 'JSON',
    cancellation_policy MEDIUMTEXT   NOT NULL COMMENT 'JSON',
    policy_version      VARCHAR(64)  NOT NULL,
    created_at          DATETIME(6)  NOT NULL,
    PRIMARY KEY (product_id),
    KEY by_md (md_id, product_id)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
