/* StreamEngine: engine/docs/collector.md */
(function(w,d){
var s=d.currentScript||{dataset:{}},o=s.dataset,K="streamengine",need=o.consent=="required",busy=0,wait=1e3,timer,
u=(o.url||(s.src?new URL(s.src).origin:""))+"/v1/events"+(o.source?"/"+o.source:""),k=o.key?"?key="+encodeURIComponent(o.key):"";
function get(n){try{return JSON.parse(localStorage.getItem(K+n))}catch(e){}}
var c=get("consent")||{},ok=yes(),Q=ok&&get("queue")||[],who=ok&&get("who")||{};
function yes(){return!need||!!c[o.purpose||"all"]}
function set(n,v){if(ok)try{v==null?localStorage.removeItem(K+n):localStorage.setItem(K+n,JSON.stringify(v))}catch(e){}}
function save(){set("queue",Q.slice(-500));set("who",who)}
function id(){return w.crypto&&crypto.randomUUID?crypto.randomUUID():Date.now().toString(36)+Math.random().toString(36).slice(2)}
function said(){return{categoryPreferences:Object.assign({},c)}}
function put(t,e,p){
var l=location;who.a=who.a||id();
var m={type:t,messageId:id(),timestamp:new Date().toISOString(),anonymousId:who.a,
context:{page:{url:l.href,path:l.pathname,referrer:d.referrer,title:d.title},locale:navigator.language,consent:said()}};
if(who.u)m.userId=who.u;if(e)m.event=e;if(p)m[t=="identify"?"traits":"properties"]=p;
Q.push(m);Q=Q.slice(-500);save();later(100)}
function later(ms){if(!timer)timer=setTimeout(()=>{timer=0;send()},ms)}
function drop(b){Q=Q.filter(m=>b.indexOf(m)<0);save()}
function back(ms){busy=0;wait=Math.min(wait*2,6e4);later(Math.max(ms,wait*(.5+Math.random()/2)))}
function body(x){return new Blob([JSON.stringify(x)],{type:"text/plain"})}
function cut(s){var b=[];Q.every(m=>(s-=body(m).size+1,b.length<20&&(s>0||!b[0])&&b.push(m)));return b}
function send(){
if(!ok||busy||!Q[0])return;busy=1;var b=cut(48e3),x=body(b);
fetch(u+k,{method:"POST",body:x,credentials:"omit",keepalive:x.size<6e4})
.then(r=>{
if(r.status==429||r.status>=500)return back(1e3*r.headers.get("retry-after"));
drop(b);busy=0;wait=1e3;Q[0]&&later(0)},()=>back(0))}
function leave(){
for(var s=48e3,b,n=navigator;ok&&Q[0]&&n.sendBeacon&&s>1e3;)n.sendBeacon(u+k,body(b=cut(s)))?drop(b):s/=2}
var api={
track:function(e,p){put("track",e,p)},
page:function(p){put("page",0,p)},
identify:function(i,t){who.u=i;put("identify",0,t)},
reset:function(){who={};save()},
listen:function(a,f){
(function open(last){
Promise.resolve(a.call?a():a).then(p=>{
var e=new EventSource(new URL(p,u)+(last?"&last_event_id="+encodeURIComponent(last):"")),again=a.call&&(ms=>{
e.close();again=0;setTimeout(()=>open(last),ms)});
["ready","decision","features","missed","end"].forEach(t=>{e.addEventListener(t,m=>{
var x=JSON.parse(m.data);last=m.lastEventId||last;f(t,x);if(x.reason=="expired"&&again)again(0)})});
e.onerror=()=>e.readyState==2&&again&&again(5e3)},()=>{setTimeout(()=>open(last),5e3)})})()},
consent:function(p){
var g,n;for(n in p)if(c[n]!==!!p[n])g=(c[n]=!!p[n])||!!g;
if(ok&&!yes()){put("track","Consent Withdrawn");Q=Q.slice(-1);leave();set("queue");set("who");set("consent");ok=false;Q=[];who={};c={}}
else{if(!ok)Q.forEach(m=>m.context.consent=said());
ok=yes();set("consent",c);if(ok&&g!=null)put("track","Consent "+(g?"Given":"Withdrawn"));save();later(0)}}};
function run(a){if(api[a[0]])api[a[0]].apply(0,[].slice.call(a,1))}
var old=w[K]&&w[K].q||[];w[K]=function(){run(arguments)};old.forEach(run);
d.addEventListener("visibilitychange",function(){if(d.visibilityState=="hidden")leave()});
w.addEventListener("pagehide",leave);
if(o.page!="off")api.page()})(window,document);
