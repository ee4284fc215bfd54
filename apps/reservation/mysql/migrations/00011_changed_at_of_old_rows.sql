-- +goose Up
-- Rows from before the column: the last line of their history, as the column says; the clock of the history is UTC.
UPDATE reservations SET changed_at = COALESCE(CAST(REPLACE(REPLACE(JSON_UNQUOTE(JSON_EXTRACT(document,
        CONCAT('$.history[', JSON_LENGTH(document, '$.history') - 1, '].at'))), 'T', ' '), 'Z', '') AS DATETIME(6)), created_at)
    WHERE changed_at IS NULL;
