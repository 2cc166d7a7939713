-- name: approve(issue, content_hash, approved_by, now)!
-- Save one person's approval of exactly this content. If they approve it again, the latest time is kept.
INSERT INTO approval (issue, content_hash, approved_by, approved_at)
VALUES (:issue, :content_hash, :approved_by, :now)
ON CONFLICT (issue, content_hash, approved_by) DO UPDATE SET approved_at = excluded.approved_at, voided = '';

-- name: of_content(issue, content_hash)
-- Return the approvals of exactly this content in order of time, including those that have become void.
SELECT issue, content_hash, approved_by AS "by", approved_at AS at, voided
FROM approval
WHERE issue = :issue AND content_hash = :content_hash
ORDER BY approved_at, approved_by;

-- name: last_of(issue)^
-- Return the latest approval of an issue, whatever its content was then.
SELECT issue, content_hash, approved_by AS "by", approved_at AS at, voided
FROM approval
WHERE issue = :issue
ORDER BY approved_at DESC, approved_by
LIMIT 1;

-- name: remember_test(issue, content_hash, copies, now)!
-- Save that the provider accepted test emails of exactly this content. They are added to the number already saved.
INSERT INTO tested (issue, content_hash, tested_at, copies)
VALUES (:issue, :content_hash, :now, :copies)
ON CONFLICT (issue, content_hash)
DO UPDATE SET tested_at = excluded.tested_at, copies = tested.copies + excluded.copies;

-- name: tested_at(issue, content_hash)$
-- Return when test emails of exactly this content were last accepted.
SELECT tested_at FROM tested WHERE issue = :issue AND content_hash = :content_hash;

-- name: last_test()$
-- Return when a test email of any issue was last accepted.
SELECT tested_at FROM tested ORDER BY tested_at DESC LIMIT 1;
