-- +goose Up
-- Waivers from before the table: opened by the first line of their reservation's history that is about a waiver.
INSERT INTO waivers (reservation_id, status, opened_at)
    SELECT id, JSON_UNQUOTE(JSON_EXTRACT(document, '$.waiver.status')),
        CAST(REPLACE(REPLACE(JSON_UNQUOTE(JSON_EXTRACT(document, REPLACE(JSON_UNQUOTE(
            JSON_SEARCH(document, 'one', 'WAIVER%', NULL, '$.history[*].kind')), '.kind', '.at'))), 'T', ' '), 'Z', '') AS DATETIME(6))
    FROM reservations WHERE JSON_EXTRACT(document, '$.waiver.status') IS NOT NULL
    ON DUPLICATE KEY UPDATE status = waivers.status;
