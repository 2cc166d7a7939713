-- Why an approval is void, even if the content is unchanged. Empty if it is valid. The hash of the content used to
-- cover all emails that could be made from an issue. Now it covers only the issue itself.
ALTER TABLE approval ADD COLUMN voided TEXT NOT NULL DEFAULT '';
UPDATE approval SET voided = 'this version looks at the content in another way';
