-- name: add_variant(broadcast, number, content)!
-- Keeps the content of a variant.
INSERT INTO variant (broadcast, number, content) VALUES (:broadcast, :number, :content);

-- name: add_picture(broadcast, name, content_type, width, height, content)!
-- Keeps a picture; variants share those of the same name, which holds a hash of the content.
INSERT INTO picture (broadcast, name, content_type, width, height, content)
VALUES (:broadcast, :name, :content_type, :width, :height, :content)
ON CONFLICT (broadcast, name) DO NOTHING;

-- name: variants(broadcast)
-- The content of every variant.
SELECT number, content FROM variant WHERE broadcast = :broadcast ORDER BY number;

-- name: variant_sizes(broadcast)
-- The content of every variant, and how many deliveries there are of it.
SELECT v.content, s.size
FROM variant AS v
JOIN (
    SELECT variant, sum(size) AS size FROM chunk WHERE broadcast = :broadcast AND size > 0 GROUP BY variant
) AS s ON s.variant = v.number
WHERE v.broadcast = :broadcast
ORDER BY v.number;

-- name: pictures(broadcast)
-- Every picture.
SELECT name, content_type, content, width, height, 0 AS sharp_width FROM picture WHERE broadcast = :broadcast;
