-- In whose lane a mail was counted: a network's, or a known browser's. What was counted before there
-- were lanes counts for its address only, and so does what a node of that time counts.
ALTER TABLE ps_mails ADD COLUMN lane TEXT COLLATE "binary" NOT NULL DEFAULT '';
