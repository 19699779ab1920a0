import { createRedis } from './src/redis/create-redis.ts';
import { open } from 'node:fs/promises';
const redis=createRedis(); let peak=0; setInterval(()=>{peak=Math.max(peak,process.memoryUsage().rss);},10).unref();
const op={signal:new AbortController().signal,onProgress(){}}; const c=process.cpuUsage(); const t=performance.now();
await redis.exportSnapshot({host:'127.0.0.1',port:7391}, 'replication',{operation:op,sink:async(a,s)=>{const h=await open('/tmp/rd/c.snap','w'); for await(const c of s) await h.write(c); await h.close();}});
const u=process.cpuUsage(c); console.log('ours', (performance.now()-t).toFixed(0),'ms cpu',((u.user+u.system)/1000).toFixed(0),'rss',(peak/1048576).toFixed(0));
