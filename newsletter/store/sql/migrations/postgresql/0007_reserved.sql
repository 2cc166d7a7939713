-- Reserved for another change of the schema.
SELECT 1;
