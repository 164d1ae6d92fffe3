// graphile-worker on the same server: the same number of jobs that do nothing, in its batched and its plain mode.
//
//     node graphile.mjs POSTGRES-URL JOBS
import { readFileSync, readdirSync } from 'node:fs'
import { run, makeWorkerUtils, Logger } from 'graphile-worker'
import pg from 'pg'

const [connectionString, jobs] = [process.argv[2], Number(process.argv[3])]
const pgPool = new pg.Pool({ connectionString, max: 40 })
pgPool.on('error', () => {}) // the queries tell
const logger = new Logger(() => () => {})
const CALLERS = 32
const [BULK, BULKS] = [500, 4]
// For the latency: how many, and how far apart.
const [TIMED, APART] = [500, 10]

/** Processor seconds of the server, as Linux counts them: the postmaster, its dead children and its living ones. */
function serverSeconds() {
    const postmaster = process.env.BENCH_POSTMASTER
    const fields = pid => readFileSync(`/proc/${pid}/stat`, 'utf8').split(')').pop().trim().split(/\s+/)
    const sum = (stat, places) => places.reduce((sum, at) => sum + Number(stat[at]), 0)
    let ticks = sum(fields(postmaster), [11, 12, 13, 14])
    for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
        try {
            const stat = fields(pid)
            if (stat[1] === postmaster) ticks += sum(stat, [11, 12])
        } catch {} // it is gone
    }
    return ticks / 100
}

async function moment() {
    const { rows } = await pgPool.query(`SELECT (pg_current_wal_lsn() - '0/0')::float8 AS log`)
    const { user, system } = process.cpuUsage()
    return { server: serverSeconds(), own: (user + system) / 1e6, log: rows[0].log, at: performance.now() }
}

async function spent(what, count, work) {
    const before = await moment()
    await work()
    const seconds = (performance.now() - before.at) / 1000
    const after = await moment()
    const each = key => (after[key] - before[key]) / count
    const [rate, server, own] = [count / seconds, each('server') * 1e3, each('own') * 1e3]
    console.log(`| graphile-worker | ${what} | ${rate.toFixed(0)} | ${server.toFixed(3)} | ${own.toFixed(3)} | ${each('log').toFixed(0)} |`)
}

async function shared(count, callers, step) {
    let done = 0
    await Promise.all(Array.from({ length: callers }, async () => {
        while (done < count) {
            const some = await step() // `done += await` would add to what it was before
            done += some
        }
    }))
}

/** Until every job has run and is gone from the table. */
async function drain(count, worker) {
    let ran = 0
    let over
    const all = new Promise(resolve => { over = resolve })
    const taskList = { noop: async () => { if (++ran === count) over() } }
    const preset = { worker: { ...worker } }
    const runner = await run({ pgPool, logger, taskList, noHandleSignals: true, concurrency: CALLERS, preset })
    await all
    for (;;) {
        const { rows } = await pgPool.query('SELECT EXISTS (SELECT FROM graphile_worker._private_jobs) AS left')
        if (!rows[0].left) break
    }
    await runner.stop()
}

/** From the wish to add a job to its beginning, as its caller's clock sees it: a hundred a second, woken by NOTIFY. */
async function latency(utils, mode, worker) {
    const waits = []
    let over
    const all = new Promise(resolve => { over = resolve })
    const taskList = { timed: async ({ asked }) => { if (waits.push(performance.now() - asked) === TIMED) over() } }
    const runner = await run({ pgPool, logger, taskList, noHandleSignals: true, concurrency: CALLERS, preset: { worker } })
    const first = performance.now()
    await Promise.all(Array.from({ length: TIMED }, async (_, n) => {
        await new Promise(resolve => setTimeout(resolve, first + n * APART - performance.now()))
        await utils.addJob('timed', { asked: performance.now() })
    }))
    await all
    await runner.stop()
    waits.sort((one, other) => one - other)
    const told = [0.5, 0.95, 0.99].map(part => waits[Math.floor(part * TIMED)].toFixed(1)).join(' / ')
    console.log(`| graphile-worker, ${mode} | asked until begun, ms at p50 / p95 / p99 | ${told} | | | |`)
}

const utils = await makeWorkerUtils({ pgPool, logger })
await utils.migrate()
const few = jobs / 5
await spent('enqueue, one by one', few, () =>
    shared(few, CALLERS, async () => { await utils.addJob('noop', {}); return 1 }))
let { rows: [{ waiting }] } = await pgPool.query('SELECT count(*)::int AS waiting FROM graphile_worker._private_jobs')
await spent('drain, one by one', waiting, () => drain(waiting, { concurrentJobs: CALLERS }))
await pgPool.query('CHECKPOINT')
await spent('enqueue, bulks of 500', jobs, () =>
    shared(jobs, BULKS, async () => {
        await utils.addJobs(Array.from({ length: BULK }, () => ({ identifier: 'noop', payload: {} })))
        return BULK
    }))
await pgPool.query('TRUNCATE graphile_worker._private_jobs')
await spent('the same, made in the database', jobs, () =>
    shared(jobs, BULKS, async () => {
        await pgPool.query(`SELECT FROM graphile_worker.add_jobs(ARRAY(
            SELECT json_populate_record(NULL::graphile_worker.job_spec, '{"identifier": "noop", "payload": {}}')
            FROM generate_series(1, ${BULK})))`)
        return BULK
    }))
;({ rows: [{ waiting }] } = await pgPool.query('SELECT count(*)::int AS waiting FROM graphile_worker._private_jobs'))
await spent('drain, batches', waiting, () =>
    drain(waiting, { concurrentJobs: CALLERS, localQueue: { size: BULK }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }))
await latency(utils, 'one by one', { concurrentJobs: CALLERS })
await latency(utils, 'batches', { concurrentJobs: CALLERS, localQueue: { size: BULK }, completeJobBatchDelay: 0, failJobBatchDelay: 0 })
await utils.release()
await pgPool.end()
