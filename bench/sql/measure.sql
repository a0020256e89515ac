-- Processor time spent in the backend, net of the loop around it: bench.net(CASE, BASE,
-- CALLS) runs two prepared statements in turns and returns nanoseconds a call,
-- of the fastest of a few turns (others were interrupted).

CREATE SCHEMA bench;
CREATE FUNCTION bench.clock() RETURNS double precision LANGUAGE c AS :'library', 'reference_clock';

CREATE FUNCTION bench.once(statement text) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
    began double precision;
    result text;
BEGIN
    began := bench.clock();
    EXECUTE statement INTO result;
    RETURN bench.clock() - began;
END
$$;

CREATE FUNCTION bench.net(measured text, base text, calls bigint) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
    fastest double precision := 'infinity';
    fastest_base double precision := 'infinity';
BEGIN
    FOR turn IN 1..coalesce(current_setting('bench.turns', true)::int, 5) LOOP
        fastest_base := least(fastest_base, bench.once('EXECUTE ' || base));
        fastest := least(fastest, bench.once('EXECUTE ' || measured));
    END LOOP;
    RETURN round(((fastest - fastest_base) / calls)::numeric, 1);
END
$$;
