-- +goose Up
CREATE TABLE IF NOT EXISTS replays (
    rebuild_id CHAR(36)    NOT NULL COMMENT 'UUIDv7 of the rebuild that asks',
    kind       INT         NOT NULL DEFAULT 0 COMMENT 'of the aggregates that are being told, in the order of the program',
    told_until VARCHAR(36) NOT NULL DEFAULT '' COMMENT 'id of the last aggregate of the kind that was told',
    told       BIGINT      NOT NULL DEFAULT 0 COMMENT 'aggregates, of all kinds',
    ended      TINYINT     NOT NULL DEFAULT 0,
    PRIMARY KEY (rebuild_id)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
