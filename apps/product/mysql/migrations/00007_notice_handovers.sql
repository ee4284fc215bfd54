-- +goose Up
CREATE TABLE IF NOT EXISTS notice_handovers (
    md_id    VARCHAR(100) NOT NULL,
    seq      BIGINT       NOT NULL,
    attempts INT          NOT NULL,
    due_at   DATETIME(6)  NOT NULL COMMENT 'clock of the database; while an attempt runs, the end of its lease',
    PRIMARY KEY (md_id, seq),
    KEY by_due (due_at)
) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
