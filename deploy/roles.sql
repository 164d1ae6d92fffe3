-- Passwords of the services' roles for the compose file. The schema's first step finds the roles and keeps them.
CREATE ROLE resettle_gateway LOGIN NOBYPASSRLS NOSUPERUSER PASSWORD 'gateway';
CREATE ROLE resettle_worker LOGIN NOBYPASSRLS NOSUPERUSER PASSWORD 'worker';
CREATE ROLE resettle_broadcaster LOGIN NOBYPASSRLS NOSUPERUSER PASSWORD 'broadcaster';
CREATE ROLE resettle_operator LOGIN NOBYPASSRLS NOSUPERUSER PASSWORD 'operator';
