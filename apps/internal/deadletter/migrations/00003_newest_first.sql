-- +goose Up
ALTER TABLE dead_letters ADD INDEX IF NOT EXISTS newest_first (at, id);
