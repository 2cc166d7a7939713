-- name: add_variant(broadcast, number, content)!
-- Save the content of a variant.
INSERT INTO variant (broadcast, number, content) VALUES (:broadcast, :number, :content);

-- name: add_picture(broadcast, name, content_type, width, height, content)!
-- Save an image. Variants share images with the same name, because the name contains a hash of the content.
INSERT INTO picture (broadcast, name, content_type, width, height, content)
VALUES (:broadcast, :name, :content_type, :width, :height, :content)
ON CONFLICT (broadcast, name) DO NOTHING;

-- name: variants(broadcast)
-- Return the content of every variant.
SELECT number, content FROM variant WHERE broadcast = :broadcast ORDER BY number;

-- name: variant_sizes(broadcast)
-- Return the content of every variant, and the number of its deliveries.
SELECT v.content, s.size
FROM variant AS v
JOIN (
    SELECT variant, sum(size) AS size FROM chunk WHERE broadcast = :broadcast AND size > 0 GROUP BY variant
) AS s ON s.variant = v.number
WHERE v.broadcast = :broadcast
ORDER BY v.number;

-- name: pictures(broadcast)
-- Return all images.
SELECT name, content_type, content, width, height, 0 AS sharp_width, '' AS original FROM picture WHERE broadcast = :broadcast;
