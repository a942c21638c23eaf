-- Which MeSH terms are which chemical entities of ChEBI, and over which path?
--
--     biotide sql -f sql/queries/mesh_to_chebi.sql
--
-- Statements of other vocabularies lead on: five terms are found over a second hop only.

SELECT t.subject_id AS term, x.target, x.predicate, x.confidence, x.hops, array_to_string(x.path, ' > ') AS path
FROM (
    SELECT DISTINCT subject_id
    FROM read_tsv('tests/data/biomappings/positive.sssom.tsv.gz', comment => '#')
    WHERE subject_id LIKE 'mesh:%'
) AS t, LATERAL xref(t.subject_id, 'tests/data/biomappings/positive.sssom.tsv.gz', targets => ['chebi']) AS x
WHERE x.hops > 1
ORDER BY term, target;
