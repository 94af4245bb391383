export const saveDueWork = (rows: string): string => `
  INSERT INTO due_work
  SELECT r.* FROM moved, json_populate_recordset(NULL::due_work, ${rows}) r WHERE r.due_at IS NOT NULL
  ON CONFLICT (account_id, kind, id) DO UPDATE SET due_at = excluded.due_at`;

export const deleteDoneWork = (rows: string): string => `
  DELETE FROM due_work d
  USING moved, json_populate_recordset(NULL::due_work, ${rows}) r
  WHERE d.account_id = r.account_id AND d.kind = r.kind AND d.id = r.id AND r.due_at IS NULL`;
