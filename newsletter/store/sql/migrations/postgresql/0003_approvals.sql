-- Why an approval does not hold any more, whatever the content; empty where it does. The content of an issue used to be
-- told by all emails that could be made of it; now it is told by the issue alone.
ALTER TABLE approval ADD COLUMN voided TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE approval SET voided = 'this version looks at the content in another way';
