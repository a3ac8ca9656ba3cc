CREATE TABLE things (id text PRIMARY KEY, a text, n text, b text);
CREATE TABLE parts (id text PRIMARY KEY, thing text NOT NULL REFERENCES things, v text);
CREATE INDEX ON parts (thing);
CREATE TABLE notes (id text PRIMARY KEY, body text);
CREATE TABLE docs (id text, n integer, v text, PRIMARY KEY (id, n));
CREATE TABLE tags (id text, tag text, PRIMARY KEY (id, tag));
CREATE TABLE steps (id text, n integer, v text, PRIMARY KEY (id, n));
CREATE TABLE ranks (id text, member text, score float8, PRIMARY KEY (id, member));
CREATE TABLE events (id text, entry text, k text, PRIMARY KEY (id, entry));
