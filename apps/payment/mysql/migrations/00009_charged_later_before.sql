-- +goose Up
-- Rows from before the column: what went back although the payment was final already.
UPDATE payments SET charged_later = TRUE WHERE EXISTS (SELECT 1 FROM refunds r WHERE r.payment_id = payments.payment_id
    AND r.cause = 'VOID' AND (payments.status = 'DECLINED' OR payments.status = 'VOIDED' AND r.requested_at > payments.final_at));
