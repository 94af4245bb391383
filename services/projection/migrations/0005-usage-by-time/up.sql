-- The order in which calls of all accounts are read by time, page by page.
CREATE INDEX usage_log_requested ON usage_log (requested_at, account_id, reservation_id);
