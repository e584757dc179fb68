--
-- PostgreSQL database dump
--


-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: auth_group; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.auth_group (
    id integer NOT NULL,
    name character varying(150) NOT NULL
);


--
-- Name: auth_group_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.auth_group_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: auth_group_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.auth_group_id_seq OWNED BY public.auth_group.id;


--
-- Name: auth_group_permissions; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.auth_group_permissions (
    id integer NOT NULL,
    group_id integer NOT NULL,
    permission_id integer NOT NULL
);


--
-- Name: auth_group_permissions_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.auth_group_permissions_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: auth_group_permissions_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.auth_group_permissions_id_seq OWNED BY public.auth_group_permissions.id;


--
-- Name: auth_permission; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.auth_permission (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    content_type_id integer NOT NULL,
    codename character varying(100) NOT NULL
);


--
-- Name: auth_permission_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.auth_permission_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: auth_permission_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.auth_permission_id_seq OWNED BY public.auth_permission.id;


--
-- Name: auth_user; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.auth_user (
    id integer NOT NULL,
    password character varying(128) NOT NULL,
    last_login timestamp with time zone,
    is_superuser boolean NOT NULL,
    username character varying(150) NOT NULL,
    first_name character varying(150) NOT NULL,
    last_name character varying(150) NOT NULL,
    email character varying(254) NOT NULL,
    is_staff boolean NOT NULL,
    is_active boolean NOT NULL,
    date_joined timestamp with time zone NOT NULL
);


--
-- Name: auth_user_groups; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.auth_user_groups (
    id integer NOT NULL,
    user_id integer NOT NULL,
    group_id integer NOT NULL
);


--
-- Name: auth_user_groups_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.auth_user_groups_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: auth_user_groups_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.auth_user_groups_id_seq OWNED BY public.auth_user_groups.id;


--
-- Name: auth_user_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.auth_user_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: auth_user_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.auth_user_id_seq OWNED BY public.auth_user.id;


--
-- Name: auth_user_user_permissions; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.auth_user_user_permissions (
    id integer NOT NULL,
    user_id integer NOT NULL,
    permission_id integer NOT NULL
);


--
-- Name: auth_user_user_permissions_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.auth_user_user_permissions_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: auth_user_user_permissions_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.auth_user_user_permissions_id_seq OWNED BY public.auth_user_user_permissions.id;


--
-- Name: django_content_type; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.django_content_type (
    id integer NOT NULL,
    app_label character varying(100) NOT NULL,
    model character varying(100) NOT NULL
);


--
-- Name: django_content_type_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.django_content_type_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: django_content_type_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.django_content_type_id_seq OWNED BY public.django_content_type.id;


--
-- Name: django_migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.django_migrations (
    id integer NOT NULL,
    app character varying(255) NOT NULL,
    name character varying(255) NOT NULL,
    applied timestamp with time zone NOT NULL
);


--
-- Name: django_migrations_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.django_migrations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: django_migrations_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.django_migrations_id_seq OWNED BY public.django_migrations.id;


--
-- Name: django_session; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.django_session (
    session_key character varying(40) NOT NULL,
    session_data text NOT NULL,
    expire_date timestamp with time zone NOT NULL
);


--
-- Name: request_token_requesttoken; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.request_token_requesttoken (
    id integer NOT NULL,
    expiration_time timestamp with time zone,
    not_before_time timestamp with time zone,
    data jsonb,
    issued_at timestamp with time zone,
    max_uses integer NOT NULL,
    used_to_date integer NOT NULL,
    user_id integer,
    scope character varying(100) NOT NULL,
    login_mode character varying(10) NOT NULL
);


--
-- Name: request_token_requesttoken_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.request_token_requesttoken_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: request_token_requesttoken_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.request_token_requesttoken_id_seq OWNED BY public.request_token_requesttoken.id;


--
-- Name: request_token_requesttokenlog; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.request_token_requesttokenlog (
    id integer NOT NULL,
    user_agent text NOT NULL,
    client_ip inet,
    "timestamp" timestamp with time zone NOT NULL,
    token_id integer NOT NULL,
    user_id integer,
    status_code integer
);


--
-- Name: request_token_requesttokenlog_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.request_token_requesttokenlog_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: request_token_requesttokenlog_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.request_token_requesttokenlog_id_seq OWNED BY public.request_token_requesttokenlog.id;


--
-- Name: auth_group id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_group ALTER COLUMN id SET DEFAULT nextval('public.auth_group_id_seq'::regclass);


--
-- Name: auth_group_permissions id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_group_permissions ALTER COLUMN id SET DEFAULT nextval('public.auth_group_permissions_id_seq'::regclass);


--
-- Name: auth_permission id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_permission ALTER COLUMN id SET DEFAULT nextval('public.auth_permission_id_seq'::regclass);


--
-- Name: auth_user id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user ALTER COLUMN id SET DEFAULT nextval('public.auth_user_id_seq'::regclass);


--
-- Name: auth_user_groups id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user_groups ALTER COLUMN id SET DEFAULT nextval('public.auth_user_groups_id_seq'::regclass);


--
-- Name: auth_user_user_permissions id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user_user_permissions ALTER COLUMN id SET DEFAULT nextval('public.auth_user_user_permissions_id_seq'::regclass);


--
-- Name: django_content_type id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.django_content_type ALTER COLUMN id SET DEFAULT nextval('public.django_content_type_id_seq'::regclass);


--
-- Name: django_migrations id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.django_migrations ALTER COLUMN id SET DEFAULT nextval('public.django_migrations_id_seq'::regclass);


--
-- Name: request_token_requesttoken id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.request_token_requesttoken ALTER COLUMN id SET DEFAULT nextval('public.request_token_requesttoken_id_seq'::regclass);


--
-- Name: request_token_requesttokenlog id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.request_token_requesttokenlog ALTER COLUMN id SET DEFAULT nextval('public.request_token_requesttokenlog_id_seq'::regclass);


--
-- Data for Name: auth_group; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: auth_group_permissions; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: auth_permission; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.auth_permission VALUES (1, 'Can add permission', 1, 'add_permission');
INSERT INTO public.auth_permission VALUES (2, 'Can change permission', 1, 'change_permission');
INSERT INTO public.auth_permission VALUES (3, 'Can delete permission', 1, 'delete_permission');
INSERT INTO public.auth_permission VALUES (4, 'Can view permission', 1, 'view_permission');
INSERT INTO public.auth_permission VALUES (5, 'Can add group', 2, 'add_group');
INSERT INTO public.auth_permission VALUES (6, 'Can change group', 2, 'change_group');
INSERT INTO public.auth_permission VALUES (7, 'Can delete group', 2, 'delete_group');
INSERT INTO public.auth_permission VALUES (8, 'Can view group', 2, 'view_group');
INSERT INTO public.auth_permission VALUES (9, 'Can add user', 3, 'add_user');
INSERT INTO public.auth_permission VALUES (10, 'Can change user', 3, 'change_user');
INSERT INTO public.auth_permission VALUES (11, 'Can delete user', 3, 'delete_user');
INSERT INTO public.auth_permission VALUES (12, 'Can view user', 3, 'view_user');
INSERT INTO public.auth_permission VALUES (13, 'Can add content type', 4, 'add_contenttype');
INSERT INTO public.auth_permission VALUES (14, 'Can change content type', 4, 'change_contenttype');
INSERT INTO public.auth_permission VALUES (15, 'Can delete content type', 4, 'delete_contenttype');
INSERT INTO public.auth_permission VALUES (16, 'Can view content type', 4, 'view_contenttype');
INSERT INTO public.auth_permission VALUES (17, 'Can add session', 5, 'add_session');
INSERT INTO public.auth_permission VALUES (18, 'Can change session', 5, 'change_session');
INSERT INTO public.auth_permission VALUES (19, 'Can delete session', 5, 'delete_session');
INSERT INTO public.auth_permission VALUES (20, 'Can view session', 5, 'view_session');
INSERT INTO public.auth_permission VALUES (21, 'Can add Token', 6, 'add_requesttoken');
INSERT INTO public.auth_permission VALUES (22, 'Can change Token', 6, 'change_requesttoken');
INSERT INTO public.auth_permission VALUES (23, 'Can delete Token', 6, 'delete_requesttoken');
INSERT INTO public.auth_permission VALUES (24, 'Can view Token', 6, 'view_requesttoken');
INSERT INTO public.auth_permission VALUES (25, 'Can add Log', 7, 'add_requesttokenlog');
INSERT INTO public.auth_permission VALUES (26, 'Can change Log', 7, 'change_requesttokenlog');
INSERT INTO public.auth_permission VALUES (27, 'Can delete Log', 7, 'delete_requesttokenlog');
INSERT INTO public.auth_permission VALUES (28, 'Can view Log', 7, 'view_requesttokenlog');


--
-- Data for Name: auth_user; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.auth_user VALUES (2, 'pbkdf2_sha256$260000$fixedsalt1$zJxCLqoLF81aH3mfqUwJdTwKmecl2yN1tvd6hTLPYlE=', NULL, false, 'mary', '', '', 'u1@example.org', false, true, '2026-01-20 12:00:00+00');
INSERT INTO public.auth_user VALUES (4, 'pbkdf2_sha256$260000$fixedsalt3$+d8vrP/E1xM98VDyHETLAYc9OrLhMtfKy67sbDIGuSM=', NULL, false, 'inactive.user', '', '', 'u3@example.org', false, false, '2026-01-20 12:00:00+00');
INSERT INTO public.auth_user VALUES (5, 'pbkdf2_sha256$260000$fixedsalt4$Zm2yp6g9M3w2TG/k6IRXODMwjVxpsU8+HW1b554hFV8=', '2026-01-28 05:00:41.243218+00', false, 'o''brien', '', '', 'u4@example.org', false, true, '2026-01-20 12:00:00+00');
INSERT INTO public.auth_user VALUES (3, 'pbkdf2_sha256$260000$fixedsalt2$8/C1xWScgXTw+f6nCxC+y9DHzcUhhDdBiTnwkjjZ0Ag=', '2026-01-28 09:31:16.186158+00', false, 'zoë', 'Ünï', '', 'u2@example.org', false, true, '2026-01-20 12:00:00+00');
INSERT INTO public.auth_user VALUES (1, 'pbkdf2_sha256$260000$fixedsalt0$LRRveKJ7vO6ElrdqRanBCpqHixMmStXw3LDJjIM85+s=', '2026-01-29 07:35:58.662988+00', false, 'hugo', '', '', 'u0@example.org', false, true, '2026-01-20 12:00:00+00');


--
-- Data for Name: auth_user_groups; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: auth_user_user_permissions; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: django_content_type; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.django_content_type VALUES (1, 'auth', 'permission');
INSERT INTO public.django_content_type VALUES (2, 'auth', 'group');
INSERT INTO public.django_content_type VALUES (3, 'auth', 'user');
INSERT INTO public.django_content_type VALUES (4, 'contenttypes', 'contenttype');
INSERT INTO public.django_content_type VALUES (5, 'sessions', 'session');
INSERT INTO public.django_content_type VALUES (6, 'request_token', 'requesttoken');
INSERT INTO public.django_content_type VALUES (7, 'request_token', 'requesttokenlog');


--
-- Data for Name: django_migrations; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.django_migrations VALUES (1, 'contenttypes', '0001_initial', '2026-11-22 14:30:30.192443+00');
INSERT INTO public.django_migrations VALUES (2, 'contenttypes', '0002_remove_content_type_name', '2026-11-22 14:30:30.235973+00');
INSERT INTO public.django_migrations VALUES (3, 'auth', '0001_initial', '2026-11-22 14:30:30.282282+00');
INSERT INTO public.django_migrations VALUES (4, 'auth', '0002_alter_permission_name_max_length', '2026-11-22 14:30:30.28876+00');
INSERT INTO public.django_migrations VALUES (5, 'auth', '0003_alter_user_email_max_length', '2026-11-22 14:30:30.293149+00');
INSERT INTO public.django_migrations VALUES (6, 'auth', '0004_alter_user_username_opts', '2026-11-22 14:30:30.297557+00');
INSERT INTO public.django_migrations VALUES (7, 'auth', '0005_alter_user_last_login_null', '2026-11-22 14:30:30.301221+00');
INSERT INTO public.django_migrations VALUES (8, 'auth', '0006_require_contenttypes_0002', '2026-11-22 14:30:30.30417+00');
INSERT INTO public.django_migrations VALUES (9, 'auth', '0007_alter_validators_add_error_messages', '2026-11-22 14:30:30.309+00');
INSERT INTO public.django_migrations VALUES (10, 'auth', '0008_alter_user_username_max_length', '2026-11-22 14:30:30.319603+00');
INSERT INTO public.django_migrations VALUES (11, 'auth', '0009_alter_user_last_name_max_length', '2026-11-22 14:30:30.324847+00');
INSERT INTO public.django_migrations VALUES (12, 'auth', '0010_alter_group_name_max_length', '2026-11-22 14:30:30.331026+00');
INSERT INTO public.django_migrations VALUES (13, 'auth', '0011_update_proxy_permissions', '2026-11-22 14:30:30.337284+00');
INSERT INTO public.django_migrations VALUES (14, 'auth', '0012_alter_user_first_name_max_length', '2026-11-22 14:30:30.341401+00');
INSERT INTO public.django_migrations VALUES (15, 'request_token', '0001_initial', '2026-11-22 14:30:30.362559+00');
INSERT INTO public.django_migrations VALUES (16, 'request_token', '0002_auto_20151227_1428', '2026-11-22 14:30:30.375405+00');
INSERT INTO public.django_migrations VALUES (17, 'request_token', '0003_auto_20151229_1105', '2026-11-22 14:30:30.402659+00');
INSERT INTO public.django_migrations VALUES (18, 'request_token', '0004_remove_requesttoken_target_url', '2026-11-22 14:30:30.407054+00');
INSERT INTO public.django_migrations VALUES (19, 'request_token', '0005_auto_20160103_1655', '2026-11-22 14:30:30.417898+00');
INSERT INTO public.django_migrations VALUES (20, 'request_token', '0006_auto_20161104_1428', '2026-11-22 14:30:30.422373+00');
INSERT INTO public.django_migrations VALUES (21, 'request_token', '0007_add_client_ipv6', '2026-11-22 14:30:30.430276+00');
INSERT INTO public.django_migrations VALUES (22, 'request_token', '0008_convert_token_data_to_jsonfield', '2026-11-22 14:30:30.447924+00');
INSERT INTO public.django_migrations VALUES (23, 'request_token', '0009_requesttokenerror', '2026-11-22 14:30:30.462206+00');
INSERT INTO public.django_migrations VALUES (24, 'request_token', '0010_auto_20170521_1944', '2026-11-22 14:30:30.473496+00');
INSERT INTO public.django_migrations VALUES (25, 'request_token', '0011_update_model_meta_options', '2026-11-22 14:30:30.487773+00');
INSERT INTO public.django_migrations VALUES (26, 'request_token', '0012_delete_requesttokenerrorlog', '2026-11-22 14:30:30.491105+00');
INSERT INTO public.django_migrations VALUES (27, 'sessions', '0001_initial', '2026-11-22 14:30:30.499359+00');


--
-- Data for Name: django_session; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: request_token_requesttoken; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.request_token_requesttoken VALUES (1, NULL, NULL, '{}', '2026-01-20 23:23:42+00', 8, 0, 3, 'überweisung ✓', 'None');
INSERT INTO public.request_token_requesttoken VALUES (2, NULL, NULL, '{}', '2026-01-21 08:43:00+00', 2, 1, NULL, 'unsubscribe', 'None');
INSERT INTO public.request_token_requesttoken VALUES (3, NULL, NULL, '{}', '2026-01-21 10:43:29+00', 1, 1, NULL, 'unsubscribe', 'None');
INSERT INTO public.request_token_requesttoken VALUES (4, '2026-05-31 00:48:07+00', NULL, '{}', '2026-01-21 14:41:27+00', 2, 0, NULL, 'überweisung ✓', 'None');
INSERT INTO public.request_token_requesttoken VALUES (28, '2026-03-16 12:00:00+00', '2026-01-26 20:54:10+00', '{}', '2026-01-26 20:53:10+00', 5, 5, 5, 'überweisung ✓', 'Request');
INSERT INTO public.request_token_requesttoken VALUES (29, '2026-06-03 17:49:25+00', NULL, '{}', '2026-01-27 03:13:29+00', 3, 0, 1, 'überweisung ✓', 'Session');
INSERT INTO public.request_token_requesttoken VALUES (30, '2026-09-09 12:52:25+00', NULL, '{}', '2026-01-27 08:23:16+00', 3, 1, 3, 'invoice.view', 'Session');
INSERT INTO public.request_token_requesttoken VALUES (5, '2026-05-27 23:31:07+00', NULL, '{}', '2026-01-21 14:59:24+00', 10, 5, NULL, 'invoice.view', 'None');
INSERT INTO public.request_token_requesttoken VALUES (6, '2026-04-23 03:08:33+00', NULL, '{}', '2026-01-21 17:14:38+00', 1, 1, NULL, 'invoice.view', 'None');
INSERT INTO public.request_token_requesttoken VALUES (7, '2026-01-24 01:51:43+00', NULL, '{}', '2026-01-22 01:58:16+00', 3, 0, NULL, 'unsubscribe', 'None');
INSERT INTO public.request_token_requesttoken VALUES (8, '2026-01-25 02:48:01+00', NULL, '{}', '2026-01-22 09:01:33+00', 5, 2, 3, 'rsvp', 'None');
INSERT INTO public.request_token_requesttoken VALUES (52, NULL, NULL, '{}', '2026-02-19 12:02:00+00', 6, 3, NULL, 'rsvp', 'None');
INSERT INTO public.request_token_requesttoken VALUES (41, NULL, NULL, '{}', '2026-02-19 12:00:20+00', 2147483647, 12, NULL, 'invoice.view', 'None');
INSERT INTO public.request_token_requesttoken VALUES (9, '2026-01-25 11:47:36+00', NULL, '{}', '2026-01-22 19:37:28+00', 5, 5, NULL, 'unsubscribe', 'None');
INSERT INTO public.request_token_requesttoken VALUES (10, NULL, '2026-03-22 21:39:47+00', '{}', '2026-01-23 01:28:10+00', 10, 0, NULL, 'unsubscribe', 'None');
INSERT INTO public.request_token_requesttoken VALUES (11, NULL, '2026-03-07 05:02:19+00', '{}', '2026-01-23 06:44:10+00', 5, 2, NULL, 'überweisung ✓', 'None');
INSERT INTO public.request_token_requesttoken VALUES (12, NULL, '2026-03-11 16:09:47+00', '{}', '2026-01-23 09:27:50+00', 3, 3, NULL, 'rsvp', 'None');
INSERT INTO public.request_token_requesttoken VALUES (13, '2026-03-31 12:00:00+00', '2026-01-23 19:11:53+00', '{}', '2026-01-23 19:10:53+00', 10, 0, 5, 'überweisung ✓', 'None');
INSERT INTO public.request_token_requesttoken VALUES (42, NULL, NULL, '{}', '2026-02-19 12:00:30+00', 10, 1, 4, 'unsubscribe', 'Request');
INSERT INTO public.request_token_requesttoken VALUES (14, '2026-04-12 12:00:00+00', '2026-01-24 03:49:10+00', '{}', '2026-01-24 03:48:10+00', 5, 2, 5, 'unsubscribe', 'None');
INSERT INTO public.request_token_requesttoken VALUES (15, '2026-04-03 12:00:00+00', '2026-01-24 05:14:14+00', '{}', '2026-01-24 05:13:14+00', 1, 1, NULL, 'unsubscribe', 'None');
INSERT INTO public.request_token_requesttoken VALUES (16, NULL, NULL, '{}', '2026-01-24 08:28:00+00', 3, 0, 5, 'rsvp', 'Request');
INSERT INTO public.request_token_requesttoken VALUES (17, NULL, NULL, '{}', '2026-01-24 15:09:45+00', 3, 1, 5, 'überweisung ✓', 'Request');
INSERT INTO public.request_token_requesttoken VALUES (18, NULL, NULL, '{}', '2026-01-24 18:22:37+00', 1, 1, 1, 'invoice.view', 'Request');
INSERT INTO public.request_token_requesttoken VALUES (19, '2026-11-24 12:48:15+00', NULL, '{}', '2026-01-24 19:11:20+00', 10, 0, 1, 'überweisung ✓', 'Request');
INSERT INTO public.request_token_requesttoken VALUES (20, '2026-08-18 15:58:28+00', NULL, '{}', '2026-01-25 04:49:18+00', 3, 1, 5, 'rsvp', 'Request');
INSERT INTO public.request_token_requesttoken VALUES (21, '2026-04-04 15:12:09+00', NULL, '{}', '2026-01-25 07:18:14+00', 1, 1, 2, 'unsubscribe', 'Request');
INSERT INTO public.request_token_requesttoken VALUES (22, '2026-01-26 10:01:50+00', NULL, '{}', '2026-01-25 11:32:30+00', 5, 0, 2, 'unsubscribe', 'Request');
INSERT INTO public.request_token_requesttoken VALUES (23, '2026-01-25 17:04:04+00', NULL, '{}', '2026-01-25 12:45:15+00', 2, 1, 2, 'überweisung ✓', 'Request');
INSERT INTO public.request_token_requesttoken VALUES (43, '2026-04-20 12:00:00+00', NULL, '{}', '2026-02-19 12:00:40+00', 4, 0, 4, 'unsubscribe', 'Session');
INSERT INTO public.request_token_requesttoken VALUES (57, NULL, NULL, '{}', '2026-02-19 12:02:50+00', 10, 0, 2, 'invoice.view', 'Request');
INSERT INTO public.request_token_requesttoken VALUES (44, NULL, NULL, NULL, '2026-02-19 12:00:50+00', 10, 2, NULL, 'überweisung ✓', 'None');
INSERT INTO public.request_token_requesttoken VALUES (31, '2026-07-28 06:48:50+00', NULL, '{}', '2026-01-27 10:41:38+00', 10, 10, 1, 'unsubscribe', 'Session');
INSERT INTO public.request_token_requesttoken VALUES (32, '2026-01-29 23:15:44+00', NULL, '{}', '2026-01-27 18:01:16+00', 8, 0, 2, 'unsubscribe', 'Session');
INSERT INTO public.request_token_requesttoken VALUES (45, NULL, NULL, '{"n": [1, 2.5, {"x": null}], "big": 9007199254740993, "affiliate": "Ωmega ✓"}', '2026-02-19 12:01:00+00', 10, 0, NULL, 'rsvp', 'None');
INSERT INTO public.request_token_requesttoken VALUES (33, '2026-01-30 04:51:13+00', NULL, '{}', '2026-01-28 04:51:41+00', 5, 2, 5, 'unsubscribe', 'Session');
INSERT INTO public.request_token_requesttoken VALUES (24, '2026-01-27 01:32:03+00', NULL, '{}', '2026-01-25 17:08:08+00', 10, 10, 3, 'rsvp', 'Request');
INSERT INTO public.request_token_requesttoken VALUES (25, '2027-04-05 12:00:00+00', '2026-03-28 01:45:24+00', '{}', '2026-01-25 22:21:22+00', 2, 0, 1, 'überweisung ✓', 'Request');
INSERT INTO public.request_token_requesttoken VALUES (26, '2026-03-14 12:00:00+00', '2026-01-26 08:15:34+00', '{}', '2026-01-26 08:14:34+00', 8, 0, 2, 'invoice.view', 'Request');
INSERT INTO public.request_token_requesttoken VALUES (34, '2026-01-29 03:51:50+00', NULL, '{}', '2026-01-28 09:26:43+00', 1, 1, 3, 'überweisung ✓', 'Session');
INSERT INTO public.request_token_requesttoken VALUES (35, '2027-04-05 12:00:00+00', '2026-03-03 13:59:21+00', '{}', '2026-01-28 14:47:49+00', 3, 0, 1, 'unsubscribe', 'Session');
INSERT INTO public.request_token_requesttoken VALUES (36, '2026-04-03 12:00:00+00', '2026-01-28 16:27:41+00', '{}', '2026-01-28 16:26:41+00', 10, 0, 1, 'rsvp', 'Session');
INSERT INTO public.request_token_requesttoken VALUES (27, '2026-03-26 12:00:00+00', '2026-01-26 16:13:01+00', '{}', '2026-01-26 16:12:01+00', 10, 5, 5, 'unsubscribe', 'Request');
INSERT INTO public.request_token_requesttoken VALUES (37, '2026-04-12 12:00:00+00', '2026-01-29 02:30:12+00', '{}', '2026-01-29 02:29:12+00', 3, 1, 1, 'invoice.view', 'Session');
INSERT INTO public.request_token_requesttoken VALUES (46, NULL, NULL, '["a", 1, null]', '2026-02-19 12:01:10+00', 10, 0, NULL, 'rsvp', 'None');
INSERT INTO public.request_token_requesttoken VALUES (47, NULL, NULL, '"just text"', '2026-02-19 12:01:20+00', 10, 0, NULL, 'überweisung ✓', 'None');
INSERT INTO public.request_token_requesttoken VALUES (48, '2026-02-19 13:23:19.999999+00', NULL, '{}', '2026-02-19 12:01:30+00', 10, 0, NULL, 'unsubscribe', 'None');
INSERT INTO public.request_token_requesttoken VALUES (58, '2026-03-01 12:00:01+00', NULL, '{}', '2026-02-19 12:03:00+00', 1, 0, 2, 'rsvp', 'Session');
INSERT INTO public.request_token_requesttoken VALUES (38, '2026-04-16 12:00:00+00', '2026-01-29 07:07:50+00', '{}', '2026-01-29 07:06:50+00', 5, 5, 1, 'unsubscribe', 'Session');
INSERT INTO public.request_token_requesttoken VALUES (39, NULL, NULL, '{}', '2026-02-19 12:00:00+00', 0, 0, NULL, 'invoice.view', 'None');
INSERT INTO public.request_token_requesttoken VALUES (40, NULL, NULL, '{}', '2026-02-19 12:00:10+00', -3, 0, NULL, 'unsubscribe', 'None');
INSERT INTO public.request_token_requesttoken VALUES (59, '2026-03-01 12:00:00+00', NULL, '{}', '2026-02-19 12:03:10+00', 1, 0, 2, 'invoice.view', 'Session');
INSERT INTO public.request_token_requesttoken VALUES (49, '2026-02-19 13:23:19.999999+00', NULL, '{}', '2026-02-19 12:01:35+00', 10, 2, NULL, 'rsvp', 'None');
INSERT INTO public.request_token_requesttoken VALUES (60, '2026-03-01 12:05:00+00', NULL, '{}', '2026-03-01 11:55:00+00', 1, 0, 1, 'unsubscribe', 'Session');
INSERT INTO public.request_token_requesttoken VALUES (53, NULL, NULL, '{}', '2026-02-19 12:02:10+00', 3, 4, NULL, 'überweisung ✓', 'None');
INSERT INTO public.request_token_requesttoken VALUES (50, NULL, NULL, '{}', '2026-02-19 12:01:40+00', 10, 3, NULL, 'sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssé', 'None');
INSERT INTO public.request_token_requesttoken VALUES (54, NULL, NULL, '{}', '2026-02-19 12:02:20+00', 10, 0, NULL, 'new-name', 'None');
INSERT INTO public.request_token_requesttoken VALUES (51, NULL, NULL, '{}', NULL, 10, 0, NULL, 'überweisung ✓', 'None');
INSERT INTO public.request_token_requesttoken VALUES (61, NULL, '2026-03-01 12:00:00+00', '{}', '2026-02-19 12:03:20+00', 10, 0, NULL, 'überweisung ✓', 'None');
INSERT INTO public.request_token_requesttoken VALUES (62, '2026-03-01 12:00:05.25+00', NULL, '{}', '2026-02-19 12:03:30+00', 10, 0, NULL, 'rsvp', 'None');
INSERT INTO public.request_token_requesttoken VALUES (63, NULL, NULL, '{}', '2026-02-19 12:03:40+00', 1000, 107, NULL, 'rsvp', 'None');
INSERT INTO public.request_token_requesttoken VALUES (55, NULL, NULL, '{}', '2026-02-19 12:02:30+00', 20, 6, NULL, 'invoice.view', 'None');
INSERT INTO public.request_token_requesttoken VALUES (56, NULL, NULL, '{}', '2026-02-19 12:02:40+00', 10, 2, NULL, 'rsvp', 'None');


--
-- Data for Name: request_token_requesttokenlog; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.request_token_requesttokenlog VALUES (1, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '198.51.100.9', '2026-01-21 08:48:06.781868+00', 2, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (2, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '198.51.100.9', '2026-01-21 10:50:26.337864+00', 3, NULL, 404);
INSERT INTO public.request_token_requesttokenlog VALUES (3, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '198.51.100.9', '2026-01-21 15:02:13.043148+00', 5, NULL, 404);
INSERT INTO public.request_token_requesttokenlog VALUES (4, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '2001:db8::1', '2026-01-21 15:08:12.232208+00', 5, NULL, 404);
INSERT INTO public.request_token_requesttokenlog VALUES (5, 'curl/7.88.1', '203.0.113.5', '2026-01-21 15:15:55.393207+00', 5, NULL, 404);
INSERT INTO public.request_token_requesttokenlog VALUES (6, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '2001:db8:0:1::2', '2026-01-21 15:24:55.394057+00', 5, NULL, 404);
INSERT INTO public.request_token_requesttokenlog VALUES (7, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '192.0.2.1', '2026-01-21 15:28:11.122804+00', 5, NULL, 404);
INSERT INTO public.request_token_requesttokenlog VALUES (8, 'curl/7.88.1', '2001:db8:0:1::2', '2026-01-21 17:17:06.100125+00', 6, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (9, 'Outlook-Android/2.0', '2001:db8:0:1::2', '2026-01-22 09:04:08.197728+00', 8, NULL, 302);
INSERT INTO public.request_token_requesttokenlog VALUES (10, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '203.0.113.5', '2026-01-22 09:12:56.91488+00', 8, NULL, 302);
INSERT INTO public.request_token_requesttokenlog VALUES (11, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '198.51.100.9', '2026-01-22 19:39:56.841269+00', 9, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (12, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '203.0.113.5', '2026-01-22 19:50:03.128409+00', 9, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (13, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '2001:db8:0:1::2', '2026-01-22 19:57:09.671674+00', 9, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (14, 'Outlook-Android/2.0', '2001:db8:0:1::2', '2026-01-22 20:04:17.99955+00', 9, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (15, 'Outlook-Android/2.0', '2001:db8:0:1::2', '2026-01-22 20:09:20.927742+00', 9, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (16, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '198.51.100.9', '2026-01-24 03:54:07.698967+00', 14, NULL, 404);
INSERT INTO public.request_token_requesttokenlog VALUES (17, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '2001:db8::1', '2026-01-24 03:57:28.034578+00', 14, NULL, 404);
INSERT INTO public.request_token_requesttokenlog VALUES (18, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '2001:db8:0:1::2', '2026-01-24 05:16:53.62427+00', 15, NULL, 302);
INSERT INTO public.request_token_requesttokenlog VALUES (19, 'unknown', '198.51.100.9', '2026-01-24 15:13:07.475532+00', 17, 5, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (20, 'curl/7.88.1', '203.0.113.5', '2026-01-24 18:27:25.9072+00', 18, 1, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (21, 'unknown', '2001:db8:0:1::2', '2026-01-25 04:56:16.867849+00', 20, 5, 404);
INSERT INTO public.request_token_requesttokenlog VALUES (22, 'Outlook-Android/2.0', '2001:db8:0:1::2', '2026-01-25 07:23:20.569489+00', 21, 2, 404);
INSERT INTO public.request_token_requesttokenlog VALUES (23, 'curl/7.88.1', '198.51.100.9', '2026-01-25 12:48:49.740078+00', 23, 2, 302);
INSERT INTO public.request_token_requesttokenlog VALUES (24, 'Outlook-Android/2.0', '198.51.100.77', '2026-01-25 17:14:48.563408+00', 24, 3, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (25, 'Outlook-Android/2.0', '192.0.2.1', '2026-01-25 17:19:41.467572+00', 24, 3, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (26, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '203.0.113.99', '2026-01-25 17:26:48.665657+00', 24, 3, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (27, 'Outlook-Android/2.0', '192.0.2.1', '2026-01-25 17:30:40.768137+00', 24, 3, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (28, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '2001:db8:0:1::2', '2026-01-25 17:39:36.90918+00', 24, 3, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (29, 'unknown', '198.51.100.77', '2026-01-25 17:46:57.502702+00', 24, 3, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (30, 'Outlook-Android/2.0', '198.51.100.9', '2026-01-25 17:52:38.35378+00', 24, 3, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (31, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '2001:db8:0:1::2', '2026-01-25 17:56:43.348976+00', 24, 3, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (32, 'unknown', '2001:db8::1', '2026-01-25 18:04:26.17525+00', 24, 3, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (33, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '198.51.100.9', '2026-01-25 18:11:47.92782+00', 24, 3, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (34, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '203.0.113.99', '2026-01-26 16:18:22.11107+00', 27, 5, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (35, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '192.0.2.1', '2026-01-26 16:23:38.070901+00', 27, 5, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (36, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '203.0.113.99', '2026-01-26 16:30:01.150114+00', 27, 5, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (37, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '198.51.100.9', '2026-01-26 16:35:58.528449+00', 27, 5, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (38, 'curl/7.88.1', '192.0.2.1', '2026-01-26 16:44:32.108393+00', 27, 5, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (39, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '2001:db8:0:1::2', '2026-01-26 20:56:08.777652+00', 28, 5, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (40, 'unknown', '203.0.113.99', '2026-01-26 21:05:25.297472+00', 28, 5, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (41, 'curl/7.88.1', '198.51.100.9', '2026-01-26 21:10:44.30899+00', 28, 5, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (42, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '203.0.113.99', '2026-01-26 21:15:47.875473+00', 28, 5, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (43, 'curl/7.88.1', '198.51.100.77', '2026-01-26 21:23:24.00833+00', 28, 5, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (44, 'Outlook-Android/2.0', '198.51.100.9', '2026-01-27 08:26:10.066067+00', 30, 3, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (45, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '198.51.100.77', '2026-01-27 10:44:53.534439+00', 31, 1, 404);
INSERT INTO public.request_token_requesttokenlog VALUES (46, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '203.0.113.5', '2026-01-27 10:50:41.971984+00', 31, 1, 404);
INSERT INTO public.request_token_requesttokenlog VALUES (164, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '2001:db8:0:1::2', '2026-02-19 19:47:49.411959+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (165, 'Outlook-Android/2.0', '203.0.113.5', '2026-02-19 19:54:56.406101+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (166, 'Outlook-Android/2.0', '2001:db8::1', '2026-02-19 19:59:15.566098+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (47, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '198.51.100.77', '2026-01-27 10:59:06.653538+00', 31, 1, 404);
INSERT INTO public.request_token_requesttokenlog VALUES (48, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '198.51.100.9', '2026-01-27 11:07:58.040252+00', 31, 1, 404);
INSERT INTO public.request_token_requesttokenlog VALUES (49, 'curl/7.88.1', '203.0.113.99', '2026-01-27 11:14:42.934009+00', 31, 1, 404);
INSERT INTO public.request_token_requesttokenlog VALUES (50, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '2001:db8:0:1::2', '2026-01-27 11:18:28.744822+00', 31, 1, 404);
INSERT INTO public.request_token_requesttokenlog VALUES (51, 'Outlook-Android/2.0', '198.51.100.9', '2026-01-27 11:25:46.405606+00', 31, 1, 404);
INSERT INTO public.request_token_requesttokenlog VALUES (52, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '198.51.100.77', '2026-01-27 11:31:26.563617+00', 31, 1, 404);
INSERT INTO public.request_token_requesttokenlog VALUES (53, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '203.0.113.99', '2026-01-27 11:36:58.863079+00', 31, 1, 404);
INSERT INTO public.request_token_requesttokenlog VALUES (54, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '2001:db8:0:1::2', '2026-01-27 11:43:24.693272+00', 31, 1, 404);
INSERT INTO public.request_token_requesttokenlog VALUES (55, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '2001:db8::1', '2026-01-28 04:54:09.40574+00', 33, 5, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (56, 'Outlook-Android/2.0', '2001:db8::1', '2026-01-28 05:00:41.243218+00', 33, 5, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (57, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '2001:db8:0:1::2', '2026-01-28 09:31:16.186158+00', 34, 3, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (58, 'curl/7.88.1', '2001:db8:0:1::2', '2026-01-29 02:34:42.486323+00', 37, 1, 404);
INSERT INTO public.request_token_requesttokenlog VALUES (59, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '2001:db8::1', '2026-01-29 07:13:03.665046+00', 38, 1, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (60, 'unknown', '203.0.113.5', '2026-01-29 07:16:56.071336+00', 38, 1, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (61, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '198.51.100.9', '2026-01-29 07:26:48.538975+00', 38, 1, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (62, 'curl/7.88.1', '198.51.100.9', '2026-01-29 07:32:24.582689+00', 38, 1, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (63, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '2001:db8:0:1::2', '2026-01-29 07:35:58.662988+00', 38, 1, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (64, 'curl/7.88.1', '198.51.100.9', '2026-02-19 12:10:45.505787+00', 41, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (65, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '2001:db8:0:1::2', '2026-02-19 12:17:07.315437+00', 41, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (66, 'curl/7.88.1', '203.0.113.5', '2026-02-19 12:24:54.665627+00', 41, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (67, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '203.0.113.99', '2026-02-19 12:31:04.027565+00', 41, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (68, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '203.0.113.99', '2026-02-19 12:38:19.530227+00', 41, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (69, 'Outlook-Android/2.0', '2001:db8::1', '2026-02-19 12:46:03.596408+00', 41, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (70, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '2001:db8:0:1::2', '2026-02-19 12:50:23.203902+00', 41, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (71, 'unknown', '203.0.113.99', '2026-02-19 12:58:54.380348+00', 41, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (72, 'curl/7.88.1', '203.0.113.99', '2026-02-19 13:04:14.690307+00', 41, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (73, 'unknown', '203.0.113.99', '2026-02-19 13:12:10.169491+00', 41, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (74, 'unknown', '198.51.100.9', '2026-02-19 13:16:08.186599+00', 41, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (75, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '203.0.113.5', '2026-02-19 13:22:09.763142+00', 41, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (76, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '2001:db8:0:1::2', '2026-02-19 12:13:29.576395+00', 42, 4, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (77, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '2001:db8:0:1::2', '2026-02-19 12:12:10.135471+00', 44, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (78, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '2001:db8:0:1::2', '2026-02-19 12:20:39.98535+00', 44, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (79, 'curl/7.88.1', '198.51.100.9', '2026-02-19 12:15:23.708568+00', 49, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (80, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '198.51.100.9', '2026-02-19 12:23:06.103759+00', 49, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (81, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '203.0.113.99', '2026-02-19 12:18:16.40378+00', 50, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (82, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '2001:db8:0:1::2', '2026-02-19 12:23:27.990439+00', 50, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (83, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '198.51.100.77', '2026-02-19 12:31:18.579465+00', 50, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (84, 'unknown', '198.51.100.9', '2026-02-19 12:16:54.716277+00', 52, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (85, 'Outlook-Android/2.0', '198.51.100.77', '2026-02-19 12:24:40.724067+00', 52, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (86, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '203.0.113.99', '2026-02-19 14:33:52.014364+00', 52, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (87, 'unknown', '198.51.100.77', '2026-02-19 12:22:27.576384+00', 53, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (88, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '2001:db8:0:1::2', '2026-02-19 12:27:07.666835+00', 53, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (89, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '203.0.113.99', '2026-02-19 12:36:33.681236+00', 53, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (90, 'curl/7.88.1', '203.0.113.5', '2026-02-19 12:41:30.603428+00', 53, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (95, 'Outlook-Android/2.0', '2001:db8:0:1::2', '2026-02-19 12:51:23.646737+00', 55, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (96, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '192.0.2.1', '2026-02-19 12:57:38.694206+00', 55, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (97, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '203.0.113.99', '2026-02-19 12:21:43.722303+00', 56, 1, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (98, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '198.51.100.77', '2026-02-19 12:29:42.965779+00', 56, 1, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (99, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '192.0.2.1', '2026-02-19 12:33:57.533483+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (100, 'Outlook-Android/2.0', '2001:db8:0:1::2', '2026-02-19 12:43:27.25994+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (101, 'unknown', '198.51.100.9', '2026-02-19 12:48:59.223402+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (102, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '2001:db8:0:1::2', '2026-02-19 12:53:38.017002+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (167, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '198.51.100.77', '2026-02-19 20:05:25.251974+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (168, 'unknown', '2001:db8::1', '2026-02-19 20:10:33.035282+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (103, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '203.0.113.5', '2026-02-19 13:03:03.418022+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (104, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '2001:db8:0:1::2', '2026-02-19 13:06:33.464018+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (105, 'Outlook-Android/2.0', '198.51.100.9', '2026-02-19 13:13:49.245682+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (106, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '203.0.113.99', '2026-02-19 13:23:24.902403+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (107, 'unknown', '2001:db8:0:1::2', '2026-02-19 13:28:26.490724+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (108, 'Outlook-Android/2.0', '192.0.2.1', '2026-02-19 13:36:52.520166+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (109, 'unknown', '198.51.100.9', '2026-02-19 13:41:12.207206+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (110, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '192.0.2.1', '2026-02-19 13:51:01.68128+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (111, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '203.0.113.5', '2026-02-19 13:53:36.005398+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (112, 'Outlook-Android/2.0', '203.0.113.99', '2026-02-19 14:02:16.378094+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (113, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '198.51.100.9', '2026-02-19 14:07:53.541793+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (114, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '203.0.113.99', '2026-02-19 14:12:37.027413+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (115, 'Outlook-Android/2.0', '192.0.2.1', '2026-02-19 14:19:59.295825+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (116, 'Outlook-Android/2.0', '198.51.100.9', '2026-02-19 14:26:10.3039+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (117, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '192.0.2.1', '2026-02-19 14:33:49.095232+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (118, 'unknown', '2001:db8:0:1::2', '2026-02-19 14:42:08.931275+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (119, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '192.0.2.1', '2026-02-19 14:49:19.929147+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (120, 'unknown', '198.51.100.9', '2026-02-19 14:53:10.318169+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (121, 'unknown', '203.0.113.99', '2026-02-19 15:01:40.071885+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (122, 'curl/7.88.1', '203.0.113.99', '2026-02-19 15:05:53.816805+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (123, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '198.51.100.9', '2026-02-19 15:15:50.480476+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (124, 'unknown', '203.0.113.5', '2026-02-19 15:19:04.230587+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (125, 'Outlook-Android/2.0', '203.0.113.99', '2026-02-19 15:27:25.741193+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (126, 'Outlook-Android/2.0', '203.0.113.99', '2026-02-19 15:32:41.509962+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (127, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '2001:db8:0:1::2', '2026-02-19 15:38:52.559133+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (128, 'unknown', '198.51.100.9', '2026-02-19 15:46:34.506809+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (129, 'Outlook-Android/2.0', '203.0.113.5', '2026-02-19 15:53:04.117175+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (130, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '203.0.113.99', '2026-02-19 15:58:38.886517+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (131, 'curl/7.88.1', '192.0.2.1', '2026-02-19 16:06:16.274691+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (132, 'curl/7.88.1', '203.0.113.99', '2026-02-19 16:14:02.849067+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (133, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '198.51.100.9', '2026-02-19 16:22:19.309995+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (134, 'curl/7.88.1', '2001:db8:0:1::2', '2026-02-19 16:28:46.787936+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (135, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '192.0.2.1', '2026-02-19 16:32:10.443243+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (136, 'Outlook-Android/2.0', '2001:db8::1', '2026-02-19 16:39:53.77405+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (137, 'curl/7.88.1', '192.0.2.1', '2026-02-19 16:48:54.788869+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (138, 'Outlook-Android/2.0', '2001:db8::1', '2026-02-19 16:52:44.755929+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (139, 'unknown', '2001:db8:0:1::2', '2026-02-19 16:59:21.943061+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (140, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '203.0.113.99', '2026-02-19 17:08:47.281194+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (141, 'unknown', '203.0.113.5', '2026-02-19 17:11:51.339957+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (142, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '198.51.100.77', '2026-02-19 17:22:50.718996+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (143, 'Outlook-Android/2.0', '198.51.100.77', '2026-02-19 17:27:01.82963+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (144, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '198.51.100.77', '2026-02-19 17:33:55.654012+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (145, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '203.0.113.99', '2026-02-19 17:42:13.079721+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (146, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '198.51.100.9', '2026-02-19 17:45:32.384438+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (147, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '192.0.2.1', '2026-02-19 17:53:31.889994+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (148, 'unknown', '203.0.113.99', '2026-02-19 18:00:27.364651+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (149, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '203.0.113.99', '2026-02-19 18:05:05.262333+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (150, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '198.51.100.9', '2026-02-19 18:15:20.344699+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (151, 'Outlook-Android/2.0', '2001:db8::1', '2026-02-19 18:21:48.793971+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (152, 'curl/7.88.1', '198.51.100.9', '2026-02-19 18:24:41.150301+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (153, 'unknown', '2001:db8:0:1::2', '2026-02-19 18:33:51.196322+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (154, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '192.0.2.1', '2026-02-19 18:42:04.798356+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (155, 'unknown', '198.51.100.77', '2026-02-19 18:47:54.639143+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (156, 'unknown', '2001:db8:0:1::2', '2026-02-19 18:50:49.109948+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (157, 'curl/7.88.1', '203.0.113.99', '2026-02-19 19:00:04.06718+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (158, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '203.0.113.99', '2026-02-19 19:07:08.32206+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (159, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '198.51.100.9', '2026-02-19 19:10:30.247063+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (160, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '2001:db8:0:1::2', '2026-02-19 19:17:41.210668+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (161, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '198.51.100.77', '2026-02-19 19:23:40.64148+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (162, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '2001:db8:0:1::2', '2026-02-19 19:34:36.506387+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (163, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '2001:db8::1', '2026-02-19 19:41:37.609777+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (169, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '2001:db8:0:1::2', '2026-02-19 20:17:17.859797+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (170, 'Outlook-Android/2.0', '192.0.2.1', '2026-02-19 20:26:16.318369+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (171, 'unknown', '198.51.100.77', '2026-02-19 20:34:38.573101+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (172, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '192.0.2.1', '2026-02-19 20:36:34.530995+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (173, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '203.0.113.99', '2026-02-19 20:45:07.90406+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (174, 'unknown', '203.0.113.99', '2026-02-19 20:50:41.392992+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (175, 'Outlook-Android/2.0', '203.0.113.99', '2026-02-19 21:00:20.889741+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (176, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '2001:db8::1', '2026-02-19 21:06:13.067873+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (177, 'unknown', '203.0.113.99', '2026-02-19 21:14:25.601322+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (178, 'curl/7.88.1', '198.51.100.9', '2026-02-19 21:20:28.605934+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (179, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '203.0.113.99', '2026-02-19 21:26:40.324736+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (180, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '198.51.100.9', '2026-02-19 21:30:14.796934+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (181, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '203.0.113.99', '2026-02-19 21:38:03.622924+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (182, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '203.0.113.99', '2026-02-19 21:43:16.588543+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (183, 'Outlook-Android/2.0', '198.51.100.77', '2026-02-19 21:51:04.546113+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (184, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '198.51.100.77', '2026-02-19 21:57:21.359956+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (185, 'Outlook-Android/2.0', '2001:db8::1', '2026-02-19 22:05:54.655739+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (186, 'curl/7.88.1', '2001:db8::1', '2026-02-19 22:12:59.981679+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (187, 'Outlook-Android/2.0', '203.0.113.5', '2026-02-19 22:18:56.919063+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (188, 'unknown', '192.0.2.1', '2026-02-19 22:23:20.187702+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (189, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '198.51.100.9', '2026-02-19 22:31:10.472018+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (190, 'Outlook-Android/2.0', '2001:db8:0:1::2', '2026-02-19 22:40:03.792279+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (191, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '2001:db8:0:1::2', '2026-02-19 22:44:24.323083+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (192, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '203.0.113.99', '2026-02-19 22:52:12.166781+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (193, 'Outlook-Android/2.0', '2001:db8::1', '2026-02-19 22:59:37.566638+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (194, 'Outlook-Android/2.0', '203.0.113.99', '2026-02-19 23:03:45.402284+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (195, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', '198.51.100.9', '2026-02-19 23:11:56.038795+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (196, 'Outlook-Android/2.0', '198.51.100.77', '2026-02-19 23:18:27.384535+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (197, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '203.0.113.99', '2026-02-19 23:24:21.576072+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (198, 'unknown', '198.51.100.9', '2026-02-19 23:30:27.210771+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (199, 'ÃnÃ¯cÃ¶dÃ©-Agent/1.0', '203.0.113.99', '2026-02-19 23:35:03.123369+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (200, 'curl/7.88.1', '192.0.2.1', '2026-02-19 23:43:31.40253+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (201, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '2001:db8:0:1::2', '2026-02-19 23:51:39.497998+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (202, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '2001:db8:0:1::2', '2026-02-19 23:55:15.286861+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (203, 'unknown', '203.0.113.5', '2026-02-20 00:03:08.217493+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (204, 'Outlook-Android/2.0', '2001:db8::1', '2026-02-20 00:08:46.489226+00', 63, NULL, 200);
INSERT INTO public.request_token_requesttokenlog VALUES (205, 'curl/7.88.1', '2001:db8:0:1::2', '2026-02-20 00:17:44.812736+00', 63, NULL, 200);


--
-- Name: auth_group_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.auth_group_id_seq', 1, false);


--
-- Name: auth_group_permissions_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.auth_group_permissions_id_seq', 1, false);


--
-- Name: auth_permission_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.auth_permission_id_seq', 28, true);


--
-- Name: auth_user_groups_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.auth_user_groups_id_seq', 1, false);


--
-- Name: auth_user_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.auth_user_id_seq', 6, true);


--
-- Name: auth_user_user_permissions_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.auth_user_user_permissions_id_seq', 1, false);


--
-- Name: django_content_type_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.django_content_type_id_seq', 7, true);


--
-- Name: django_migrations_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.django_migrations_id_seq', 27, true);


--
-- Name: request_token_requesttoken_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.request_token_requesttoken_id_seq', 65, true);


--
-- Name: request_token_requesttokenlog_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.request_token_requesttokenlog_id_seq', 280, true);


--
-- Name: auth_group auth_group_name_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_group
    ADD CONSTRAINT auth_group_name_key UNIQUE (name);


--
-- Name: auth_group_permissions auth_group_permissions_group_id_permission_id_0cd325b0_uniq; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_group_id_permission_id_0cd325b0_uniq UNIQUE (group_id, permission_id);


--
-- Name: auth_group_permissions auth_group_permissions_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_pkey PRIMARY KEY (id);


--
-- Name: auth_group auth_group_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_group
    ADD CONSTRAINT auth_group_pkey PRIMARY KEY (id);


--
-- Name: auth_permission auth_permission_content_type_id_codename_01ab375a_uniq; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_content_type_id_codename_01ab375a_uniq UNIQUE (content_type_id, codename);


--
-- Name: auth_permission auth_permission_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_pkey PRIMARY KEY (id);


--
-- Name: auth_user_groups auth_user_groups_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user_groups
    ADD CONSTRAINT auth_user_groups_pkey PRIMARY KEY (id);


--
-- Name: auth_user_groups auth_user_groups_user_id_group_id_94350c0c_uniq; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user_groups
    ADD CONSTRAINT auth_user_groups_user_id_group_id_94350c0c_uniq UNIQUE (user_id, group_id);


--
-- Name: auth_user auth_user_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user
    ADD CONSTRAINT auth_user_pkey PRIMARY KEY (id);


--
-- Name: auth_user_user_permissions auth_user_user_permissions_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user_user_permissions
    ADD CONSTRAINT auth_user_user_permissions_pkey PRIMARY KEY (id);


--
-- Name: auth_user_user_permissions auth_user_user_permissions_user_id_permission_id_14a6b632_uniq; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user_user_permissions
    ADD CONSTRAINT auth_user_user_permissions_user_id_permission_id_14a6b632_uniq UNIQUE (user_id, permission_id);


--
-- Name: auth_user auth_user_username_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user
    ADD CONSTRAINT auth_user_username_key UNIQUE (username);


--
-- Name: django_content_type django_content_type_app_label_model_76bd3d3b_uniq; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.django_content_type
    ADD CONSTRAINT django_content_type_app_label_model_76bd3d3b_uniq UNIQUE (app_label, model);


--
-- Name: django_content_type django_content_type_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.django_content_type
    ADD CONSTRAINT django_content_type_pkey PRIMARY KEY (id);


--
-- Name: django_migrations django_migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.django_migrations
    ADD CONSTRAINT django_migrations_pkey PRIMARY KEY (id);


--
-- Name: django_session django_session_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.django_session
    ADD CONSTRAINT django_session_pkey PRIMARY KEY (session_key);


--
-- Name: request_token_requesttoken request_token_requesttoken_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.request_token_requesttoken
    ADD CONSTRAINT request_token_requesttoken_pkey PRIMARY KEY (id);


--
-- Name: request_token_requesttokenlog request_token_requesttokenlog_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.request_token_requesttokenlog
    ADD CONSTRAINT request_token_requesttokenlog_pkey PRIMARY KEY (id);


--
-- Name: auth_group_name_a6ea08ec_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX auth_group_name_a6ea08ec_like ON public.auth_group USING btree (name varchar_pattern_ops);


--
-- Name: auth_group_permissions_group_id_b120cbf9; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX auth_group_permissions_group_id_b120cbf9 ON public.auth_group_permissions USING btree (group_id);


--
-- Name: auth_group_permissions_permission_id_84c5c92e; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX auth_group_permissions_permission_id_84c5c92e ON public.auth_group_permissions USING btree (permission_id);


--
-- Name: auth_permission_content_type_id_2f476e4b; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX auth_permission_content_type_id_2f476e4b ON public.auth_permission USING btree (content_type_id);


--
-- Name: auth_user_groups_group_id_97559544; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX auth_user_groups_group_id_97559544 ON public.auth_user_groups USING btree (group_id);


--
-- Name: auth_user_groups_user_id_6a12ed8b; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX auth_user_groups_user_id_6a12ed8b ON public.auth_user_groups USING btree (user_id);


--
-- Name: auth_user_user_permissions_permission_id_1fbb5f2c; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX auth_user_user_permissions_permission_id_1fbb5f2c ON public.auth_user_user_permissions USING btree (permission_id);


--
-- Name: auth_user_user_permissions_user_id_a95ead1b; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX auth_user_user_permissions_user_id_a95ead1b ON public.auth_user_user_permissions USING btree (user_id);


--
-- Name: auth_user_username_6821ab7c_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX auth_user_username_6821ab7c_like ON public.auth_user USING btree (username varchar_pattern_ops);


--
-- Name: django_session_expire_date_a5c62663; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX django_session_expire_date_a5c62663 ON public.django_session USING btree (expire_date);


--
-- Name: django_session_session_key_c0390e0f_like; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX django_session_session_key_c0390e0f_like ON public.django_session USING btree (session_key varchar_pattern_ops);


--
-- Name: request_token_requesttoken_user_id_f43ca84b; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX request_token_requesttoken_user_id_f43ca84b ON public.request_token_requesttoken USING btree (user_id);


--
-- Name: request_token_requesttokenlog_token_id_55d46cdb; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX request_token_requesttokenlog_token_id_55d46cdb ON public.request_token_requesttokenlog USING btree (token_id);


--
-- Name: request_token_requesttokenlog_user_id_d3304808; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX request_token_requesttokenlog_user_id_d3304808 ON public.request_token_requesttokenlog USING btree (user_id);


--
-- Name: auth_group_permissions auth_group_permissio_permission_id_84c5c92e_fk_auth_perm; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissio_permission_id_84c5c92e_fk_auth_perm FOREIGN KEY (permission_id) REFERENCES public.auth_permission(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: auth_group_permissions auth_group_permissions_group_id_b120cbf9_fk_auth_group_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_group_id_b120cbf9_fk_auth_group_id FOREIGN KEY (group_id) REFERENCES public.auth_group(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: auth_permission auth_permission_content_type_id_2f476e4b_fk_django_co; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_content_type_id_2f476e4b_fk_django_co FOREIGN KEY (content_type_id) REFERENCES public.django_content_type(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: auth_user_groups auth_user_groups_group_id_97559544_fk_auth_group_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user_groups
    ADD CONSTRAINT auth_user_groups_group_id_97559544_fk_auth_group_id FOREIGN KEY (group_id) REFERENCES public.auth_group(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: auth_user_groups auth_user_groups_user_id_6a12ed8b_fk_auth_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user_groups
    ADD CONSTRAINT auth_user_groups_user_id_6a12ed8b_fk_auth_user_id FOREIGN KEY (user_id) REFERENCES public.auth_user(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: auth_user_user_permissions auth_user_user_permi_permission_id_1fbb5f2c_fk_auth_perm; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user_user_permissions
    ADD CONSTRAINT auth_user_user_permi_permission_id_1fbb5f2c_fk_auth_perm FOREIGN KEY (permission_id) REFERENCES public.auth_permission(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: auth_user_user_permissions auth_user_user_permissions_user_id_a95ead1b_fk_auth_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.auth_user_user_permissions
    ADD CONSTRAINT auth_user_user_permissions_user_id_a95ead1b_fk_auth_user_id FOREIGN KEY (user_id) REFERENCES public.auth_user(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: request_token_requesttokenlog request_token_reques_token_id_55d46cdb_fk_request_t; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.request_token_requesttokenlog
    ADD CONSTRAINT request_token_reques_token_id_55d46cdb_fk_request_t FOREIGN KEY (token_id) REFERENCES public.request_token_requesttoken(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: request_token_requesttoken request_token_requesttoken_user_id_f43ca84b_fk_auth_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.request_token_requesttoken
    ADD CONSTRAINT request_token_requesttoken_user_id_f43ca84b_fk_auth_user_id FOREIGN KEY (user_id) REFERENCES public.auth_user(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: request_token_requesttokenlog request_token_requesttokenlog_user_id_d3304808_fk_auth_user_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.request_token_requesttokenlog
    ADD CONSTRAINT request_token_requesttokenlog_user_id_d3304808_fk_auth_user_id FOREIGN KEY (user_id) REFERENCES public.auth_user(id) DEFERRABLE INITIALLY DEFERRED;


--
-- PostgreSQL database dump complete
--


