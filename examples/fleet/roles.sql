-- For a program that submits from SQL, and does nothing else: it can read no message, its own neither.
CREATE ROLE shop LOGIN;
GRANT USAGE ON SCHEMA hongyan TO shop;
GRANT EXECUTE ON FUNCTION hongyan.submit(jsonb, text) TO shop;

-- For one that may also ask what became of a message whose id it has.
GRANT EXECUTE ON FUNCTION hongyan.result(text) TO shop;
