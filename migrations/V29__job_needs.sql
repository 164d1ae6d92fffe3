-- What a job needs of its worker's machine, beyond what its kind needs: {"memory": bytes, "disk": bytes}; none for most,
-- and then it takes no room. A program of the release before does not ask, and begins the job where its kind fits.
ALTER TABLE jobs ADD COLUMN needs jsonb;
ALTER TABLE schedules ADD COLUMN needs jsonb;
-- Proved for new rows alone: there is no other value yet, and none of the old rows has to be read.
ALTER TABLE jobs ADD CONSTRAINT jobs_needs CHECK (jsonb_typeof(needs) = 'object') NOT VALID;
ALTER TABLE schedules ADD CONSTRAINT schedules_needs CHECK (jsonb_typeof(needs) = 'object') NOT VALID;
