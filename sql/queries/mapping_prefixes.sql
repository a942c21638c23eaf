-- Which vocabularies do the curated mappings of Biomappings connect?
--
--     biotide sql -f sql/queries/mapping_prefixes.sql
--
-- The file starts with a block of comments. The prefix of a CURIE is what stands before its first colon.

SELECT
    split_part(subject_id, ':', 1) AS subject,
    split_part(object_id, ':', 1) AS object,
    count(*) AS mappings,
    count(*) FILTER (WHERE predicate_id = 'skos:exactMatch') AS exact
FROM read_tsv('tests/data/biomappings/positive.sssom.tsv.gz', comment => '#')
GROUP BY subject, object
HAVING count(*) >= 100
ORDER BY mappings DESC, subject, object;
