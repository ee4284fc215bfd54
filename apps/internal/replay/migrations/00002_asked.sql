-- +goose Up
ALTER TABLE replays ADD COLUMN asked_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'by the clock of the database: which is the newest';
