import { createRedis } from './src/redis/create-redis.ts';
import {writeFile} from 'node:fs/promises'; import {createReadStream} from 'node:fs';
import { open } from 'node:fs/promises';
const redis=createRedis(); const [src,dst,method]=process.argv.slice(2);
const op={signal:new AbortController().signal,onProgress(){}};
let t=performance.now(); const lap=(n:string)=>{console.log(n,(performance.now()-t).toFixed(0)); t=performance.now();};
const facts=await redis.exportSnapshot({host:'127.0.0.1',port:Number(src)}, process.argv[5] as never ?? 'replication',{operation:op,sink:async(a,s)=>{const h=await open('/tmp/rd/c.snap','w'); for await(const c of s) await h.write(c); await h.close();}});
lap('export'); console.log(facts);
const format=facts.method==='dump'?'redis-dump':'redis-rdb';
console.log(await redis.checkSnapshot(format as never, createReadStream('/tmp/rd/c.snap'),op)); lap('check');
for(let i=0;i<2;i++){ const phases=new Map<string,number>();
console.log(await redis.importSnapshot({target:{host:'127.0.0.1',port:Number(dst)},format:format as never,facts,method:method as never,dropExisting:i===0},{open:()=>createReadStream('/tmp/rd/c.snap'),operation:{...op,onProgress(p){ if(!phases.has(p.phase)) phases.set(p.phase,performance.now()-t);}}}).catch(e=>e)); lap('import'); console.log(phases);}
