BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE interest (
	id INTEGER NOT NULL, 
	subject VARCHAR NOT NULL, 
	subject_id VARCHAR NOT NULL, 
	"right" VARCHAR NOT NULL, 
	party VARCHAR NOT NULL, 
	ppm INTEGER NOT NULL, 
	territory VARCHAR NOT NULL, 
	valid_from DATE, 
	valid_to DATE, 
	recorded_at VARCHAR NOT NULL, 
	recorded_to VARCHAR, 
	CONSTRAINT pk_interest PRIMARY KEY (id), 
	CONSTRAINT ck_interest_ppm CHECK (ppm > 0 and ppm <= 1000000), 
	CONSTRAINT fk_interest_party_party FOREIGN KEY(party) REFERENCES party (id)
);
INSERT INTO "interest" VALUES(1,'recording','r1','master','ann',1000000,'WW',NULL,NULL,'2026-11-22T17:02:03.400388Z',NULL);
INSERT INTO "interest" VALUES(2,'recording','r2','master','bob',800000,'WW',NULL,NULL,'2026-11-22T17:02:03.400388Z',NULL);
CREATE TABLE party (
	id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	payee VARCHAR NOT NULL, 
	ipi VARCHAR, 
	isni VARCHAR, 
	recorded_at VARCHAR NOT NULL, 
	CONSTRAINT pk_party PRIMARY KEY (id), 
	CONSTRAINT fk_party_payee_party FOREIGN KEY(payee) REFERENCES party (id)
)
 WITHOUT ROWID

;
INSERT INTO "party" VALUES('ann','Ann','artist','lab','00052210040',NULL,'2026-11-22T17:02:03.392609Z');
INSERT INTO "party" VALUES('bob','Bob','artist','bob',NULL,NULL,'2026-11-22T17:02:03.392526Z');
INSERT INTO "party" VALUES('lab','Lab','label','lab',NULL,NULL,'2026-11-22T17:02:03.392600Z');
CREATE TABLE payout (
	id VARCHAR NOT NULL, 
	period VARCHAR NOT NULL, 
	rule VARCHAR NOT NULL, 
	rule_version VARCHAR NOT NULL, 
	provider VARCHAR NOT NULL, 
	currency VARCHAR NOT NULL, 
	publishing_ppm INTEGER NOT NULL, 
	snapshot VARCHAR NOT NULL, 
	platform_micros BIGINT NOT NULL, 
	content_sha256 VARCHAR NOT NULL, 
	recorded_at VARCHAR NOT NULL, 
	CONSTRAINT pk_payout PRIMARY KEY (id), 
	CONSTRAINT fk_payout_period_period FOREIGN KEY(period) REFERENCES period (id), 
	CONSTRAINT fk_payout_snapshot_snapshot FOREIGN KEY(snapshot) REFERENCES snapshot (sha256), 
	CONSTRAINT uq_payout_period UNIQUE (period, rule)
)
 WITHOUT ROWID

;
INSERT INTO "payout" VALUES('2026-10/pro_rata','2026-10','pro_rata','pro_rata-1','ours','EUR',0,'801fbd7ee595a44942a28d9579890bbd08f6cb9acb0b61c60fc0b74adddcd378',600000,'abe7aef0c1f4c1948a7e635c92057f032fca388d6ff7d2a404cf475c9b53305f','2026-11-22T17:02:04.079744Z');
CREATE TABLE payout_input (
	payout VARCHAR NOT NULL, 
	snapshot VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	CONSTRAINT pk_payout_input PRIMARY KEY (payout, snapshot), 
	CONSTRAINT fk_payout_input_payout_payout FOREIGN KEY(payout) REFERENCES payout (id), 
	CONSTRAINT fk_payout_input_snapshot_snapshot FOREIGN KEY(snapshot) REFERENCES snapshot (sha256)
)
 WITHOUT ROWID

;
INSERT INTO "payout_input" VALUES('2026-10/pro_rata','1d494c5e006e57cfbd6d2a82ffd337bfe126cb7866b20c96a6bc636dd28cdf54','revenue');
INSERT INTO "payout_input" VALUES('2026-10/pro_rata','395bcbf7dac65b026075240ee68b92b7100d122c3b336edf7d377018c5f6418d','usage');
INSERT INTO "payout_input" VALUES('2026-10/pro_rata','e556b75ea22682f22c024aa70dffc00cfe53597a8986b0d37299ad387d2485a9','shares');
CREATE TABLE payout_payee (
	payout VARCHAR NOT NULL, 
	payee VARCHAR NOT NULL, 
	micros BIGINT NOT NULL, 
	low_micros BIGINT NOT NULL, 
	high_micros BIGINT NOT NULL, 
	attributed_micros BIGINT NOT NULL, 
	CONSTRAINT pk_payout_payee PRIMARY KEY (payout, payee), 
	CONSTRAINT fk_payout_payee_payee_party FOREIGN KEY(payee) REFERENCES party (id), 
	CONSTRAINT fk_payout_payee_payout_payout FOREIGN KEY(payout) REFERENCES payout (id)
)
 WITHOUT ROWID

;
INSERT INTO "payout_payee" VALUES('2026-10/pro_rata','bob',3000000,2000000,4000000,2000000);
INSERT INTO "payout_payee" VALUES('2026-10/pro_rata','lab',5400000,4600000,6200000,4500000);
CREATE TABLE payout_pool (
	payout VARCHAR NOT NULL, 
	id VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	territory VARCHAR NOT NULL, 
	currency VARCHAR NOT NULL, 
	gross_micros BIGINT NOT NULL, 
	pool_micros BIGINT NOT NULL, 
	idle_micros BIGINT NOT NULL, 
	unattributed_micros BIGINT NOT NULL, 
	CONSTRAINT pk_payout_pool PRIMARY KEY (payout, id), 
	CONSTRAINT fk_payout_pool_payout_payout FOREIGN KEY(payout) REFERENCES payout (id)
)
 WITHOUT ROWID

;
INSERT INTO "payout_pool" VALUES('2026-10/pro_rata','2026-10/app/DE/EUR','app','DE','EUR',20000000,10000000,0,1900000);
CREATE TABLE payout_recording (
	payout VARCHAR NOT NULL, 
	recording VARCHAR NOT NULL, 
	micros BIGINT NOT NULL, 
	low_micros BIGINT NOT NULL, 
	high_micros BIGINT NOT NULL, 
	CONSTRAINT pk_payout_recording PRIMARY KEY (payout, recording), 
	CONSTRAINT fk_payout_recording_payout_payout FOREIGN KEY(payout) REFERENCES payout (id), 
	CONSTRAINT fk_payout_recording_recording_recording FOREIGN KEY(recording) REFERENCES recording (id)
)
 WITHOUT ROWID

;
INSERT INTO "payout_recording" VALUES('2026-10/pro_rata','r1',4500000,3700000,5300000);
INSERT INTO "payout_recording" VALUES('2026-10/pro_rata','r2',2000000,1000000,3000000);
CREATE TABLE payout_suspense (
	payout VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	micros BIGINT NOT NULL, 
	CONSTRAINT pk_payout_suspense PRIMARY KEY (payout, kind), 
	CONSTRAINT fk_payout_suspense_payout_payout FOREIGN KEY(payout) REFERENCES payout (id)
)
 WITHOUT ROWID

;
INSERT INTO "payout_suspense" VALUES('2026-10/pro_rata','unclaimed',500000);
INSERT INTO "payout_suspense" VALUES('2026-10/pro_rata','unmatched',500000);
CREATE TABLE payout_track (
	payout VARCHAR NOT NULL, 
	track VARCHAR NOT NULL, 
	plays BIGINT NOT NULL, 
	micros BIGINT NOT NULL, 
	CONSTRAINT pk_payout_track PRIMARY KEY (payout, track), 
	CONSTRAINT fk_payout_track_payout_payout FOREIGN KEY(payout) REFERENCES payout (id)
)
 WITHOUT ROWID

;
INSERT INTO "payout_track" VALUES('2026-10/pro_rata','t1',8,9500000);
INSERT INTO "payout_track" VALUES('2026-10/pro_rata','t2',2,500000);
CREATE TABLE period (
	id VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	rule VARCHAR, 
	payout VARCHAR, 
	chain_head VARCHAR, 
	closed_at VARCHAR, 
	CONSTRAINT pk_period PRIMARY KEY (id), 
	CONSTRAINT ck_period_status CHECK (status in ('open', 'closed'))
)
 WITHOUT ROWID

;
INSERT INTO "period" VALUES('2026-10','closed','pro_rata','2026-10/pro_rata','e2195b016f429c3509d886c2614b21562013659a8abbc2b5f44ce416bb54c0c9','2026-11-22T17:02:04.104739Z');
CREATE TABLE period_input (
	period VARCHAR NOT NULL, 
	snapshot VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	recorded_at VARCHAR NOT NULL, 
	CONSTRAINT pk_period_input PRIMARY KEY (period, snapshot), 
	CONSTRAINT fk_period_input_period_period FOREIGN KEY(period) REFERENCES period (id), 
	CONSTRAINT fk_period_input_snapshot_snapshot FOREIGN KEY(snapshot) REFERENCES snapshot (sha256)
)
 WITHOUT ROWID

;
INSERT INTO "period_input" VALUES('2026-10','1d494c5e006e57cfbd6d2a82ffd337bfe126cb7866b20c96a6bc636dd28cdf54','revenue','old/revenue.csv','2026-11-22T17:02:04.030657Z');
INSERT INTO "period_input" VALUES('2026-10','395bcbf7dac65b026075240ee68b92b7100d122c3b336edf7d377018c5f6418d','usage','old/usage.csv','2026-11-22T17:02:03.989505Z');
CREATE TABLE period_revenue (
	period VARCHAR NOT NULL, 
	snapshot VARCHAR NOT NULL, 
	currency VARCHAR NOT NULL, 
	micros BIGINT NOT NULL, 
	CONSTRAINT pk_period_revenue PRIMARY KEY (period, snapshot, currency), 
	CONSTRAINT fk_period_revenue_period_period FOREIGN KEY(period) REFERENCES period (id), 
	CONSTRAINT fk_period_revenue_snapshot_snapshot FOREIGN KEY(snapshot) REFERENCES snapshot (sha256)
)
 WITHOUT ROWID

;
INSERT INTO "period_revenue" VALUES('2026-10','1d494c5e006e57cfbd6d2a82ffd337bfe126cb7866b20c96a6bc636dd28cdf54','EUR',20000000);
CREATE TABLE posting (
	transaction_id INTEGER NOT NULL, 
	line INTEGER NOT NULL, 
	account VARCHAR NOT NULL, 
	amount_micros BIGINT NOT NULL, 
	currency VARCHAR NOT NULL, 
	"right" VARCHAR, 
	pool VARCHAR, 
	CONSTRAINT pk_posting PRIMARY KEY (transaction_id, line), 
	CONSTRAINT fk_posting_transaction_id_transaction_ FOREIGN KEY(transaction_id) REFERENCES transaction_ (id)
)
 WITHOUT ROWID

;
INSERT INTO "posting" VALUES(1,1,'receivable.platform',20000000,'EUR',NULL,'2026-10/app/DE/EUR');
INSERT INTO "posting" VALUES(1,2,'pool.2026-10/app/DE/EUR',-10000000,'EUR',NULL,'2026-10/app/DE/EUR');
INSERT INTO "posting" VALUES(1,3,'platform',-10000000,'EUR',NULL,'2026-10/app/DE/EUR');
INSERT INTO "posting" VALUES(2,1,'pool.2026-10/app/DE/EUR',10000000,'EUR',NULL,'2026-10/app/DE/EUR');
INSERT INTO "posting" VALUES(2,2,'payable.bob',-3000000,'EUR','master','2026-10/app/DE/EUR');
INSERT INTO "posting" VALUES(2,3,'payable.lab',-5400000,'EUR','master','2026-10/app/DE/EUR');
INSERT INTO "posting" VALUES(2,4,'platform',-600000,'EUR','master','2026-10/app/DE/EUR');
INSERT INTO "posting" VALUES(2,5,'suspense.unclaimed',-500000,'EUR','master','2026-10/app/DE/EUR');
INSERT INTO "posting" VALUES(2,6,'suspense.unmatched',-500000,'EUR',NULL,'2026-10/app/DE/EUR');
CREATE TABLE recording (
	id VARCHAR NOT NULL, 
	title VARCHAR NOT NULL, 
	artist VARCHAR NOT NULL, 
	work VARCHAR NOT NULL, 
	isrc VARCHAR, 
	file VARCHAR, 
	content_sha256 VARCHAR, 
	audio_sha256 VARCHAR, 
	duration_ms BIGINT, 
	placebo BOOLEAN NOT NULL, 
	licensed_from DATE, 
	licensed_to DATE, 
	recorded_at VARCHAR NOT NULL, 
	CONSTRAINT pk_recording PRIMARY KEY (id), 
	CONSTRAINT fk_recording_artist_party FOREIGN KEY(artist) REFERENCES party (id), 
	CONSTRAINT fk_recording_work_work FOREIGN KEY(work) REFERENCES work (id)
)
 WITHOUT ROWID

;
INSERT INTO "recording" VALUES('r1','Harbour Lights','ann','w1','DEA122600001',NULL,NULL,NULL,NULL,0,NULL,NULL,'2026-11-22T17:02:03.397466Z');
INSERT INTO "recording" VALUES('r2','Paper Boats','bob','r2',NULL,NULL,NULL,NULL,NULL,0,'2026-01-01',NULL,'2026-11-22T17:02:03.397514Z');
CREATE TABLE run (
	id VARCHAR NOT NULL, 
	card_sha256 VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	parameters BIGINT NOT NULL, 
	summary VARCHAR NOT NULL, 
	CONSTRAINT pk_run PRIMARY KEY (id)
)
 WITHOUT ROWID

;
INSERT INTO "run" VALUES('run-1','cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','2026-10-01T00:00:00Z',400000,'200 spans');
CREATE TABLE run_recording (
	run VARCHAR NOT NULL, 
	recording VARCHAR NOT NULL, 
	placebo BOOLEAN NOT NULL, 
	CONSTRAINT pk_run_recording PRIMARY KEY (run, recording), 
	CONSTRAINT fk_run_recording_recording_recording FOREIGN KEY(recording) REFERENCES recording (id), 
	CONSTRAINT fk_run_recording_run_run FOREIGN KEY(run) REFERENCES run (id)
)
 WITHOUT ROWID

;
INSERT INTO "run_recording" VALUES('run-1','r1',0);
INSERT INTO "run_recording" VALUES('run-1','r2',0);
CREATE TABLE snapshot (
	sha256 VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	rows BIGINT NOT NULL, 
	recorded_at VARCHAR NOT NULL, 
	CONSTRAINT pk_snapshot PRIMARY KEY (sha256)
)
 WITHOUT ROWID

;
INSERT INTO "snapshot" VALUES('1d494c5e006e57cfbd6d2a82ffd337bfe126cb7866b20c96a6bc636dd28cdf54','revenue',2,'2026-11-22T17:02:04.030338Z');
INSERT INTO "snapshot" VALUES('395bcbf7dac65b026075240ee68b92b7100d122c3b336edf7d377018c5f6418d','usage',2,'2026-11-22T17:02:03.989135Z');
INSERT INTO "snapshot" VALUES('801fbd7ee595a44942a28d9579890bbd08f6cb9acb0b61c60fc0b74adddcd378','allocations',8,'2026-11-22T17:02:04.071622Z');
INSERT INTO "snapshot" VALUES('e556b75ea22682f22c024aa70dffc00cfe53597a8986b0d37299ad387d2485a9','shares',3,'2026-11-22T17:02:03.926336Z');
CREATE TABLE terms (
	id INTEGER NOT NULL, 
	party VARCHAR NOT NULL, 
	royalty_rate_ppm INTEGER NOT NULL, 
	advance_micros BIGINT NOT NULL, 
	reserve_ppm INTEGER NOT NULL, 
	minimum_payment_micros BIGINT NOT NULL, 
	withholding_ppm INTEGER NOT NULL, 
	currency VARCHAR NOT NULL, 
	valid_from DATE, 
	valid_to DATE, 
	recorded_at VARCHAR NOT NULL, 
	recorded_to VARCHAR, 
	CONSTRAINT pk_terms PRIMARY KEY (id), 
	CONSTRAINT fk_terms_party_party FOREIGN KEY(party) REFERENCES party (id)
);
INSERT INTO "terms" VALUES(1,'ann',900000,0,0,0,0,'EUR',NULL,NULL,'2026-11-22T17:02:03.403185Z',NULL);
CREATE TABLE track (
	id VARCHAR NOT NULL, 
	title VARCHAR NOT NULL, 
	run VARCHAR, 
	seed BIGINT, 
	duration_ms BIGINT, 
	midi VARCHAR, 
	audio_sha256 VARCHAR, 
	created_at VARCHAR NOT NULL, 
	CONSTRAINT pk_track PRIMARY KEY (id), 
	CONSTRAINT fk_track_run_run FOREIGN KEY(run) REFERENCES run (id)
)
 WITHOUT ROWID

;
INSERT INTO "track" VALUES('t1','Track t1','run-1',7,30000,'tracks/t1.mid',NULL,'2026-10-02T00:00:00Z');
CREATE TABLE track_share (
	provider VARCHAR NOT NULL, 
	track VARCHAR NOT NULL, 
	snapshot VARCHAR NOT NULL, 
	content_sha256 VARCHAR NOT NULL, 
	unattributed_ppb BIGINT NOT NULL, 
	recorded_at VARCHAR NOT NULL, 
	CONSTRAINT pk_track_share PRIMARY KEY (provider, track), 
	CONSTRAINT fk_track_share_snapshot_snapshot FOREIGN KEY(snapshot) REFERENCES snapshot (sha256)
)
 WITHOUT ROWID

;
INSERT INTO "track_share" VALUES('ours','t1','e556b75ea22682f22c024aa70dffc00cfe53597a8986b0d37299ad387d2485a9','b6821e79401f5b5570c2606fb221b50021f154b0f71a5c9bdc022171821ce22c',100000000,'2026-11-22T17:02:03.927282Z');
CREATE TABLE transaction_ (
	id INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	period VARCHAR NOT NULL, 
	effective_on DATE NOT NULL, 
	recorded_at VARCHAR NOT NULL, 
	reverses INTEGER, 
	adjusts INTEGER, 
	memo VARCHAR NOT NULL, 
	content_sha256 VARCHAR NOT NULL, 
	prev_hash VARCHAR NOT NULL, 
	hash VARCHAR NOT NULL, 
	sealed BOOLEAN NOT NULL, 
	CONSTRAINT pk_transaction_ PRIMARY KEY (id), 
	CONSTRAINT fk_transaction__adjusts_transaction_ FOREIGN KEY(adjusts) REFERENCES transaction_ (id), 
	CONSTRAINT fk_transaction__period_period FOREIGN KEY(period) REFERENCES period (id), 
	CONSTRAINT fk_transaction__reverses_transaction_ FOREIGN KEY(reverses) REFERENCES transaction_ (id), 
	CONSTRAINT uq_transaction__hash UNIQUE (hash), 
	CONSTRAINT uq_transaction__key UNIQUE ("key")
);
INSERT INTO "transaction_" VALUES(1,'2026-10/revenue/2026-10/app/DE/EUR','revenue','2026-10','2026-10-31','2026-11-22T17:02:04.098040Z',NULL,NULL,'revenue of pool 2026-10/app/DE/EUR','c888bee411974d373543fdc5992806cac9f13ed0abd528bf88123421a4f729e0','0000000000000000000000000000000000000000000000000000000000000000','166eeb42b82524da629960247e3e8b65707a41d97eacc1db2680189b25602af5',1);
INSERT INTO "transaction_" VALUES(2,'2026-10/allocation/2026-10/app/DE/EUR','allocation','2026-10','2026-10-31','2026-11-22T17:02:04.103426Z',NULL,NULL,'allocation of pool 2026-10/app/DE/EUR','307c1380013018d91eb554efd6619e898c1e69eb9b3bad758d7e62f8594aad8f','166eeb42b82524da629960247e3e8b65707a41d97eacc1db2680189b25602af5','e2195b016f429c3509d886c2614b21562013659a8abbc2b5f44ce416bb54c0c9',1);
CREATE TABLE work (
	id VARCHAR NOT NULL, 
	iswc VARCHAR, 
	recorded_at VARCHAR NOT NULL, 
	CONSTRAINT pk_work PRIMARY KEY (id)
)
 WITHOUT ROWID

;
INSERT INTO "work" VALUES('r2',NULL,'2026-11-22T17:02:03.395022Z');
INSERT INTO "work" VALUES('w1','T0345246801','2026-11-22T17:02:03.394938Z');
CREATE INDEX ix_interest_subject_id ON interest (subject_id);
CREATE INDEX ix_recording_work ON recording (work);
CREATE INDEX ix_terms_party ON terms (party);
CREATE INDEX ix_transaction__period ON transaction_ (period);
CREATE INDEX ix_posting_account ON posting (account);
CREATE TRIGGER period_insert_open before insert on period
when new.status <> 'open'
begin select raise(abort, 'a period begins open; close it when it is posted'); end;
CREATE TRIGGER period_update_while_open before update on period
when old.status = 'closed'
begin select raise(abort, 'a closed period is neither changed nor reopened'); end;
CREATE TRIGGER period_update_id before update on period
when new.id <> old.id
begin select raise(abort, 'a period keeps its name'); end;
CREATE TRIGGER period_update_sealed before update on period
when new.status = 'closed' and exists (select 1 from transaction_ where period = new.id and not sealed)
begin select raise(abort, 'a transaction of the period is not sealed; seal it before closing'); end;
CREATE TRIGGER period_delete_never before delete on period
begin select raise(abort, 'a period is never removed'); end;
CREATE TRIGGER period_insert_twice before insert on period
when exists (select 1 from period where (id = new.id))
begin select raise(abort, 'that period is there already'); end;
CREATE TRIGGER transaction__insert_twice before insert on transaction_
when exists (select 1 from transaction_ where (id = new.id) or (key = new.key) or (hash = new.hash))
begin select raise(abort, 'that transaction_ is there already'); end;
CREATE TRIGGER transaction__insert_while_new_open before insert on transaction_
when exists (select 1 from period where id = new.period and status = 'closed')
begin select raise(abort, 'the period is closed; post an adjustment in the open one'); end;
CREATE TRIGGER transaction__insert_unsealed before insert on transaction_
when new.sealed
begin select raise(abort, 'a transaction is sealed after its postings, not before'); end;
CREATE TRIGGER transaction__insert_one_at_a_time before insert on transaction_
when exists (select 1 from transaction_ where not sealed)
begin select raise(abort, 'the transaction before is not sealed'); end;
CREATE TRIGGER transaction__insert_continues before insert on transaction_
when new.id <> (select coalesce(max(id), 0) + 1 from transaction_) or new.prev_hash <> coalesce((select hash from transaction_ where id = new.id - 1), '0000000000000000000000000000000000000000000000000000000000000000')
begin select raise(abort, 'the transaction does not continue the chain'); end;
CREATE TRIGGER transaction__update_seals_once before update on transaction_
when old.sealed or not new.sealed or not (new.id is not distinct from old.id and new.key is not distinct from old.key and new.kind is not distinct from old.kind and new.period is not distinct from old.period and new.effective_on is not distinct from old.effective_on and new.recorded_at is not distinct from old.recorded_at and new.reverses is not distinct from old.reverses and new.adjusts is not distinct from old.adjusts and new.memo is not distinct from old.memo and new.content_sha256 is not distinct from old.content_sha256 and new.prev_hash is not distinct from old.prev_hash and new.hash is not distinct from old.hash)
begin select raise(abort, 'a transaction is never changed, only sealed, once; post a reversal'); end;
CREATE TRIGGER transaction__update_not_empty before update on transaction_
when new.sealed and not exists (select 1 from posting where transaction_id = new.id)
begin select raise(abort, 'the transaction has no postings'); end;
CREATE TRIGGER transaction__update_balances before update on transaction_
when new.sealed and exists (select 1 from posting where transaction_id = new.id group by currency having sum(amount_micros) <> 0)
begin select raise(abort, 'the transaction does not sum to zero in every currency'); end;
CREATE TRIGGER transaction__delete_never before delete on transaction_
begin select raise(abort, 'a transaction is never removed; post a reversal'); end;
CREATE TRIGGER posting_update_never before update on posting
begin select raise(abort, 'a posting is never changed'); end;
CREATE TRIGGER posting_delete_never before delete on posting
begin select raise(abort, 'a posting is never removed'); end;
CREATE TRIGGER posting_insert_twice before insert on posting
when exists (select 1 from posting where (transaction_id = new.transaction_id and line = new.line))
begin select raise(abort, 'that posting is there already'); end;
CREATE TRIGGER posting_insert_unsealed before insert on posting
when not exists (select 1 from transaction_ where id = new.transaction_id and not sealed)
begin select raise(abort, 'a sealed transaction takes no more postings'); end;
CREATE TRIGGER party_update_never before update on party
begin select raise(abort, 'a party is never changed'); end;
CREATE TRIGGER party_delete_never before delete on party
begin select raise(abort, 'a party is never removed'); end;
CREATE TRIGGER party_insert_twice before insert on party
when exists (select 1 from party where (id = new.id))
begin select raise(abort, 'that party is there already'); end;
CREATE TRIGGER work_update_never before update on work
begin select raise(abort, 'a work is never changed'); end;
CREATE TRIGGER work_delete_never before delete on work
begin select raise(abort, 'a work is never removed'); end;
CREATE TRIGGER work_insert_twice before insert on work
when exists (select 1 from work where (id = new.id))
begin select raise(abort, 'that work is there already'); end;
CREATE TRIGGER recording_update_only before update on recording
when not (new.id is not distinct from old.id and new.title is not distinct from old.title and new.artist is not distinct from old.artist and new.work is not distinct from old.work and new.isrc is not distinct from old.isrc and new.file is not distinct from old.file and new.content_sha256 is not distinct from old.content_sha256 and new.placebo is not distinct from old.placebo and new.recorded_at is not distinct from old.recorded_at)
begin select raise(abort, 'of a recording only these may change: audio_sha256, duration_ms, licensed_from, licensed_to'); end;
CREATE TRIGGER recording_delete_never before delete on recording
begin select raise(abort, 'a recording is never removed'); end;
CREATE TRIGGER recording_insert_twice before insert on recording
when exists (select 1 from recording where (id = new.id))
begin select raise(abort, 'that recording is there already'); end;
CREATE TRIGGER track_update_only before update on track
when not (new.id is not distinct from old.id and new.title is not distinct from old.title and new.run is not distinct from old.run and new.seed is not distinct from old.seed and new.midi is not distinct from old.midi and new.created_at is not distinct from old.created_at)
begin select raise(abort, 'of a track only these may change: audio_sha256, duration_ms'); end;
CREATE TRIGGER track_delete_never before delete on track
begin select raise(abort, 'a track is never removed'); end;
CREATE TRIGGER track_insert_twice before insert on track
when exists (select 1 from track where (id = new.id))
begin select raise(abort, 'that track is there already'); end;
CREATE TRIGGER snapshot_update_never before update on snapshot
begin select raise(abort, 'a snapshot is never changed'); end;
CREATE TRIGGER snapshot_delete_never before delete on snapshot
begin select raise(abort, 'a snapshot is never removed'); end;
CREATE TRIGGER snapshot_insert_twice before insert on snapshot
when exists (select 1 from snapshot where (sha256 = new.sha256))
begin select raise(abort, 'that snapshot is there already'); end;
CREATE TRIGGER run_update_never before update on run
begin select raise(abort, 'a run is never changed'); end;
CREATE TRIGGER run_delete_never before delete on run
begin select raise(abort, 'a run is never removed'); end;
CREATE TRIGGER run_insert_twice before insert on run
when exists (select 1 from run where (id = new.id))
begin select raise(abort, 'that run is there already'); end;
CREATE TRIGGER run_recording_update_never before update on run_recording
begin select raise(abort, 'a run_recording is never changed'); end;
CREATE TRIGGER run_recording_delete_never before delete on run_recording
begin select raise(abort, 'a run_recording is never removed'); end;
CREATE TRIGGER run_recording_insert_twice before insert on run_recording
when exists (select 1 from run_recording where (run = new.run and recording = new.recording))
begin select raise(abort, 'that run_recording is there already'); end;
CREATE TRIGGER track_share_update_never before update on track_share
begin select raise(abort, 'a track_share is never changed'); end;
CREATE TRIGGER track_share_delete_never before delete on track_share
begin select raise(abort, 'a track_share is never removed'); end;
CREATE TRIGGER track_share_insert_twice before insert on track_share
when exists (select 1 from track_share where (provider = new.provider and track = new.track))
begin select raise(abort, 'that track_share is there already'); end;
CREATE TRIGGER period_input_update_never before update on period_input
begin select raise(abort, 'a period_input is never changed'); end;
CREATE TRIGGER period_input_delete_never before delete on period_input
begin select raise(abort, 'a period_input is never removed'); end;
CREATE TRIGGER period_input_insert_twice before insert on period_input
when exists (select 1 from period_input where (period = new.period and snapshot = new.snapshot))
begin select raise(abort, 'that period_input is there already'); end;
CREATE TRIGGER period_input_insert_while_new_open before insert on period_input
when exists (select 1 from period where id = new.period and status = 'closed')
begin select raise(abort, 'the period is closed; post an adjustment in the open one'); end;
CREATE TRIGGER period_revenue_update_never before update on period_revenue
begin select raise(abort, 'a period_revenue is never changed'); end;
CREATE TRIGGER period_revenue_delete_never before delete on period_revenue
begin select raise(abort, 'a period_revenue is never removed'); end;
CREATE TRIGGER period_revenue_insert_twice before insert on period_revenue
when exists (select 1 from period_revenue where (period = new.period and snapshot = new.snapshot and currency = new.currency))
begin select raise(abort, 'that period_revenue is there already'); end;
CREATE TRIGGER period_revenue_insert_while_new_open before insert on period_revenue
when exists (select 1 from period where id = new.period and status = 'closed')
begin select raise(abort, 'the period is closed; post an adjustment in the open one'); end;
CREATE TRIGGER interest_update_ends_once before update on interest
when not (old.recorded_to is null and new.recorded_to is not null and new.id is not distinct from old.id and new.subject is not distinct from old.subject and new.subject_id is not distinct from old.subject_id and new.right is not distinct from old.right and new.party is not distinct from old.party and new.ppm is not distinct from old.ppm and new.territory is not distinct from old.territory and new.valid_from is not distinct from old.valid_from and new.valid_to is not distinct from old.valid_to and new.recorded_at is not distinct from old.recorded_at)
begin select raise(abort, 'a interest row may only be ended, once; record another beside it'); end;
CREATE TRIGGER interest_delete_never before delete on interest
begin select raise(abort, 'a interest row is never removed'); end;
CREATE TRIGGER interest_insert_twice before insert on interest
when exists (select 1 from interest where (id = new.id))
begin select raise(abort, 'that interest is there already'); end;
CREATE TRIGGER terms_update_ends_once before update on terms
when not (old.recorded_to is null and new.recorded_to is not null and new.id is not distinct from old.id and new.party is not distinct from old.party and new.royalty_rate_ppm is not distinct from old.royalty_rate_ppm and new.advance_micros is not distinct from old.advance_micros and new.reserve_ppm is not distinct from old.reserve_ppm and new.minimum_payment_micros is not distinct from old.minimum_payment_micros and new.withholding_ppm is not distinct from old.withholding_ppm and new.currency is not distinct from old.currency and new.valid_from is not distinct from old.valid_from and new.valid_to is not distinct from old.valid_to and new.recorded_at is not distinct from old.recorded_at)
begin select raise(abort, 'a terms row may only be ended, once; record another beside it'); end;
CREATE TRIGGER terms_delete_never before delete on terms
begin select raise(abort, 'a terms row is never removed'); end;
CREATE TRIGGER terms_insert_twice before insert on terms
when exists (select 1 from terms where (id = new.id))
begin select raise(abort, 'that terms is there already'); end;
CREATE TRIGGER payout_insert_twice before insert on payout
when exists (select 1 from payout where (id = new.id) or (period = new.period and rule = new.rule))
begin select raise(abort, 'that payout is there already'); end;
CREATE TRIGGER payout_insert_while_new_open before insert on payout
when exists (select 1 from period where id = new.period and status = 'closed')
begin select raise(abort, 'the period is closed; post an adjustment in the open one'); end;
CREATE TRIGGER payout_update_never before update on payout
begin select raise(abort, 'a payout is never changed; compute anew'); end;
CREATE TRIGGER payout_delete_while_old_open before delete on payout
when exists (select 1 from period where id = old.period and status = 'closed')
begin select raise(abort, 'the period is closed; post an adjustment in the open one'); end;
CREATE TRIGGER payout_input_insert_twice before insert on payout_input
when exists (select 1 from payout_input where (payout = new.payout and snapshot = new.snapshot))
begin select raise(abort, 'that payout_input is there already'); end;
CREATE TRIGGER payout_input_insert_while_new_open before insert on payout_input
when exists (select 1 from period where id = (select period from payout where id = new.payout) and status = 'closed')
begin select raise(abort, 'the period is closed; post an adjustment in the open one'); end;
CREATE TRIGGER payout_input_update_never before update on payout_input
begin select raise(abort, 'a payout_input is never changed; compute anew'); end;
CREATE TRIGGER payout_input_delete_while_old_open before delete on payout_input
when exists (select 1 from period where id = (select period from payout where id = old.payout) and status = 'closed')
begin select raise(abort, 'the period is closed; post an adjustment in the open one'); end;
CREATE TRIGGER payout_pool_insert_twice before insert on payout_pool
when exists (select 1 from payout_pool where (payout = new.payout and id = new.id))
begin select raise(abort, 'that payout_pool is there already'); end;
CREATE TRIGGER payout_pool_insert_while_new_open before insert on payout_pool
when exists (select 1 from period where id = (select period from payout where id = new.payout) and status = 'closed')
begin select raise(abort, 'the period is closed; post an adjustment in the open one'); end;
CREATE TRIGGER payout_pool_update_never before update on payout_pool
begin select raise(abort, 'a payout_pool is never changed; compute anew'); end;
CREATE TRIGGER payout_pool_delete_while_old_open before delete on payout_pool
when exists (select 1 from period where id = (select period from payout where id = old.payout) and status = 'closed')
begin select raise(abort, 'the period is closed; post an adjustment in the open one'); end;
CREATE TRIGGER payout_payee_insert_twice before insert on payout_payee
when exists (select 1 from payout_payee where (payout = new.payout and payee = new.payee))
begin select raise(abort, 'that payout_payee is there already'); end;
CREATE TRIGGER payout_payee_insert_while_new_open before insert on payout_payee
when exists (select 1 from period where id = (select period from payout where id = new.payout) and status = 'closed')
begin select raise(abort, 'the period is closed; post an adjustment in the open one'); end;
CREATE TRIGGER payout_payee_update_never before update on payout_payee
begin select raise(abort, 'a payout_payee is never changed; compute anew'); end;
CREATE TRIGGER payout_payee_delete_while_old_open before delete on payout_payee
when exists (select 1 from period where id = (select period from payout where id = old.payout) and status = 'closed')
begin select raise(abort, 'the period is closed; post an adjustment in the open one'); end;
CREATE TRIGGER payout_track_insert_twice before insert on payout_track
when exists (select 1 from payout_track where (payout = new.payout and track = new.track))
begin select raise(abort, 'that payout_track is there already'); end;
CREATE TRIGGER payout_track_insert_while_new_open before insert on payout_track
when exists (select 1 from period where id = (select period from payout where id = new.payout) and status = 'closed')
begin select raise(abort, 'the period is closed; post an adjustment in the open one'); end;
CREATE TRIGGER payout_track_update_never before update on payout_track
begin select raise(abort, 'a payout_track is never changed; compute anew'); end;
CREATE TRIGGER payout_track_delete_while_old_open before delete on payout_track
when exists (select 1 from period where id = (select period from payout where id = old.payout) and status = 'closed')
begin select raise(abort, 'the period is closed; post an adjustment in the open one'); end;
CREATE TRIGGER payout_recording_insert_twice before insert on payout_recording
when exists (select 1 from payout_recording where (payout = new.payout and recording = new.recording))
begin select raise(abort, 'that payout_recording is there already'); end;
CREATE TRIGGER payout_recording_insert_while_new_open before insert on payout_recording
when exists (select 1 from period where id = (select period from payout where id = new.payout) and status = 'closed')
begin select raise(abort, 'the period is closed; post an adjustment in the open one'); end;
CREATE TRIGGER payout_recording_update_never before update on payout_recording
begin select raise(abort, 'a payout_recording is never changed; compute anew'); end;
CREATE TRIGGER payout_recording_delete_while_old_open before delete on payout_recording
when exists (select 1 from period where id = (select period from payout where id = old.payout) and status = 'closed')
begin select raise(abort, 'the period is closed; post an adjustment in the open one'); end;
CREATE TRIGGER payout_suspense_insert_twice before insert on payout_suspense
when exists (select 1 from payout_suspense where (payout = new.payout and kind = new.kind))
begin select raise(abort, 'that payout_suspense is there already'); end;
CREATE TRIGGER payout_suspense_insert_while_new_open before insert on payout_suspense
when exists (select 1 from period where id = (select period from payout where id = new.payout) and status = 'closed')
begin select raise(abort, 'the period is closed; post an adjustment in the open one'); end;
CREATE TRIGGER payout_suspense_update_never before update on payout_suspense
begin select raise(abort, 'a payout_suspense is never changed; compute anew'); end;
CREATE TRIGGER payout_suspense_delete_while_old_open before delete on payout_suspense
when exists (select 1 from period where id = (select period from payout where id = old.payout) and status = 'closed')
begin select raise(abort, 'the period is closed; post an adjustment in the open one'); end;
COMMIT;
