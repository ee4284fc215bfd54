-- +goose Up
-- Adds the index unless it is there: the list by the next departure is read along it.
SET @change = (SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE departures ADD INDEX by_date (date, product_id, closed, seats_closed)')
    FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'departures' AND index_name = 'by_date');
PREPARE change_once FROM @change;
EXECUTE change_once;
DEALLOCATE PREPARE change_once;
