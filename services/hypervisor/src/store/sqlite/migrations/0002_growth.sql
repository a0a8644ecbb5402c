-- For what housekeeping looks for every minute, and for counting a user's open sessions, however
-- many there are.

CREATE INDEX sessions_by_end ON sessions (expires_at);

DROP INDEX sessions_of_user;
CREATE INDEX sessions_of_user ON sessions (user_id, expires_at);

CREATE INDEX audit_by_time ON audit (at);
