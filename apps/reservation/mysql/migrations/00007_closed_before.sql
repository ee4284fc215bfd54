-- +goose Up
INSERT IGNORE INTO closings (departure_id) SELECT id FROM departures WHERE closure IS NOT NULL;
