CREATE TABLE expected (
	dataset VARCHAR(100) NOT NULL,   -- request.params.dataset in client_conf.js
	name    VARCHAR(255) NOT NULL,   -- the file's name on the user's computer
	s3key   VARCHAR(1024) UNIQUE,    -- the key of the current upload; every part looks it up
	etag    VARCHAR(100),            -- set when the upload is complete
	PRIMARY KEY (dataset, name)
);
