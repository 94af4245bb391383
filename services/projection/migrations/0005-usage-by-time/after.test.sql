DO $$
BEGIN
  ASSERT EXISTS (
    SELECT FROM pg_indexes WHERE schemaname = current_schema() AND indexname = 'usage_log_requested'
  ), 'calls can be read by time';
END
$$;
